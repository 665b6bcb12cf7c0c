//! The rules of the house that a program can check: ranks of modules, where `unsafe` and printing
//! may be, sizes, names, and that committed manual pages and completions are what the binary makes.
//!
//! Each rule is a function from a file's path and text to complaints, and has a sample it must
//! catch.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules below `src/` and their ranks; see `src/main.rs`.
const RANKS: &[(&str, u8)] = &[
    ("main", 7),
    ("cli", 6),
    ("build", 5),
    ("systemd", 5),
    ("container", 4),
    ("image", 3),
    ("monitor", 3),
    ("runtime", 2),
    ("rootfs", 2),
    ("store", 2),
    ("registry", 2),
    ("state", 2),
    ("logs", 2),
    ("events", 2),
    ("net", 2),
    ("volume", 2),
    ("rootless", 2),
    ("config", 1),
    ("init_program", 1),
    ("base", 0),
    ("error", 0),
    ("sys", 0),
];

const LONGEST_LINE: usize = 100;
const LONGEST_FILE: usize = 800;
const LONGEST_FUNCTION: usize = 70;

/// Names that say nothing about what is inside.
const VAGUE_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "manager", "misc", "types",
];

struct File {
    /// Relative to the package, with `/`.
    path: String,
    text: String,
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a directory of the package, sorted.
fn files(directory: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&package().join(directory), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(directory: &Path, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("directory is readable").path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let bytes = fs::read(&path).expect("file is readable");
        let inside = path.strip_prefix(package()).expect("was found below it");
        found.push(File {
            path: inside.to_str().expect("file names are plain").to_owned(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
}

fn rust_files() -> Vec<File> {
    let mut found = Vec::new();
    for directory in ["src", "tests", "init"] {
        found.extend(files(directory));
    }
    found.push(File {
        path: "build.rs".to_owned(),
        text: fs::read_to_string(package().join("build.rs")).expect("build.rs is readable"),
    });
    found.retain(|file| file.path.ends_with(".rs"));
    found
}

/// Applies a rule to all Rust files and fails with everything it found.
fn enforce(rule: impl Fn(&File) -> Vec<String>) {
    let complaints: Vec<String> = rust_files().iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn sample(path: &str, text: &str) -> File {
    let (path, text) = (path.to_owned(), text.to_owned());
    File { path, text }
}

/// The code of a file, line by line: without comments and the insides of string literals.
fn code_lines(text: &str) -> Vec<String> {
    #[derive(PartialEq)]
    enum Inside {
        Code,
        Text { hashes: Option<usize> },
    }
    let mut inside = Inside::Code;
    let mut lines = Vec::new();
    for line in text.lines() {
        let characters: Vec<char> = line.chars().collect();
        let mut code = String::new();
        let mut at = 0;
        while at < characters.len() {
            let rest = &characters[at..];
            match &inside {
                Inside::Text { hashes } => {
                    let end: Vec<char> = match hashes {
                        Some(count) => format!("\"{}", "#".repeat(*count)).chars().collect(),
                        None => vec!['"'],
                    };
                    if hashes.is_none() && rest[0] == '\\' {
                        at += 2;
                    } else if rest.starts_with(&end) {
                        at += end.len();
                        inside = Inside::Code;
                    } else {
                        at += 1;
                    }
                }
                Inside::Code => {
                    if rest.starts_with(&['/', '/']) {
                        break;
                    }
                    at += code_step(rest, &mut code, |hashes| inside = Inside::Text { hashes });
                }
            }
        }
        lines.push(code);
    }
    lines
}

/// Takes one token of code; tells when a string begins. The result is the number of characters
/// used.
fn code_step(rest: &[char], code: &mut String, mut begin: impl FnMut(Option<usize>)) -> usize {
    let text: String = rest.iter().take(16).collect();
    if text.starts_with("'\"'") || text.starts_with("b'\"'") {
        return text.find("'\"'").map_or(1, |start| start + 3);
    }
    if text.starts_with("'\\\"'") {
        return 4;
    }
    let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if !after_word && (rest[0] == 'r' || text.starts_with("br")) {
        let raw = text.trim_start_matches('b').trim_start_matches('r');
        let hashes = raw.chars().take_while(|c| *c == '#').count();
        if raw[hashes..].starts_with('"') {
            begin(Some(hashes));
            return text.len() - raw.len() + hashes + 1;
        }
    }
    if rest[0] == '"' {
        begin(None);
    } else {
        code.push(rest[0]);
    }
    1
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

/// The module of a file: the first name below `src/`.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    inside
        .split('/')
        .next()
        .map(|name| name.trim_end_matches(".rs"))
}

fn rank(module: &str) -> Option<u8> {
    let found = RANKS.iter().find(|(name, _)| *name == module);
    found.map(|(_, rank)| *rank)
}

/// Every `crate::name`, braces included.
fn imports(code: &str) -> Vec<String> {
    const PREFIX: &str = "crate::";
    let mut found = Vec::new();
    for (at, _) in code.match_indices(PREFIX) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + PREFIX.len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level_names(group),
            None => vec![rest],
        };
        let first = |name: &str| {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            name[..end.unwrap_or(name.len())].to_owned()
        };
        found.extend(names.into_iter().map(first).filter(|name| !name.is_empty()));
    }
    found
}

/// The items of a brace group, up to its end.
fn top_level_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut names = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(group[start..at].trim());
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn check_ranks(file: &File) -> Vec<String> {
    let Some(own) = module(&file.path) else {
        return Vec::new();
    };
    let Some(own_rank) = rank(own) else {
        return vec![format!("{}: module {own} has no rank", file.path)];
    };
    let mut complaints = Vec::new();
    for import in imports(&code_lines(&file.text).join("\n")) {
        let Some(rank) = rank(&import).filter(|_| import != own) else {
            continue;
        };
        if rank >= own_rank && (rank, own_rank) != (0, 0) {
            complaints.push(format!(
                "{}: {own} (rank {own_rank}) imports {import} (rank {rank})",
                file.path
            ));
        }
    }
    complaints
}

#[test]
fn modules_import_lower_ranks_only() {
    enforce(check_ranks);
    let bad = sample(
        "src/store/a.rs",
        "use crate::{base::{A, B}, image::C};\n// crate::cli",
    );
    assert_eq!(
        check_ranks(&bad),
        ["src/store/a.rs: store (rank 2) imports image (rank 3)"]
    );
    assert_eq!(
        check_ranks(&sample("src/store/a.rs", "crate::logs::x()")).len(),
        1
    );
    assert_eq!(check_ranks(&sample("src/new.rs", "")).len(), 1);
    let good = "use crate::store::B;\nuse crate::error::Result;\nlet a = \"crate::cli::x\";";
    assert!(check_ranks(&sample("src/store/a.rs", good)).is_empty());
    assert!(check_ranks(&sample("src/sys/a.rs", "use crate::error::Result;")).is_empty());
}

fn check_unsafe(file: &File) -> Vec<String> {
    if file.path.starts_with("src/sys/") || file.path == "init/kernel.rs" {
        return Vec::new();
    }
    matching_lines(file, |line| {
        has_word(line, "unsafe") && !line.contains("#[")
    })
}

/// `path:line: code` for the lines of code that match.
fn matching_lines(file: &File, matches: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = code_lines(&file.text);
    let hits = lines.iter().enumerate().filter(|(_, line)| matches(line));
    hits.map(|(number, line)| format!("{}:{}: {}", file.path, number + 1, line.trim()))
        .collect()
}

#[test]
fn unsafe_code_is_in_sys_only() {
    enforce(check_unsafe);
    assert_eq!(
        check_unsafe(&sample("src/cli/a.rs", "let x = unsafe { f() };")).len(),
        1
    );
    let good = "// unsafe\nlet unsafe_code = \"unsafe\";";
    assert!(check_unsafe(&sample("src/cli/a.rs", good)).is_empty());
}

/// Unit tests may print: that is how they say `SKIP reason`.
fn check_printing(file: &File) -> Vec<String> {
    let is_tests = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
    let may_print = is_tests || file.path.starts_with("src/cli/output/");
    if may_print || !file.path.starts_with("src/") {
        return Vec::new();
    }
    let tests = file.text.find("#[cfg(test)]\nmod tests {");
    let shipped = sample(&file.path, &file.text[..tests.unwrap_or(file.text.len())]);
    let macros = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];
    matching_lines(&shipped, |line| {
        macros.iter().any(|name| has_macro(line, name))
    })
}

fn has_macro(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(part))
}

#[test]
fn only_output_prints() {
    enforce(check_printing);
    assert_eq!(
        check_printing(&sample("src/store/a.rs", "    println!(\"x\");")).len(),
        1
    );
    let good = "my_print!(\"println!\");\n#[cfg(test)]\nmod tests {\n    println!();";
    assert!(check_printing(&sample("src/store/a.rs", good)).is_empty());
}

fn check_sizes(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    if lines.len() > LONGEST_FILE {
        complaints.push(format!("{}: {} lines", file.path, lines.len()));
    }
    for (number, line) in lines.iter().enumerate() {
        let columns = line.chars().count();
        if columns > LONGEST_LINE {
            complaints.push(format!("{}:{}: {columns} columns", file.path, number + 1));
        }
        if let Some(length) = function_length(&lines[number..])
            && length > LONGEST_FUNCTION
        {
            let at = number + 1;
            complaints.push(format!("{}:{at}: function of {length} lines", file.path));
        }
    }
    complaints
}

/// Lines of the function that begins on the first line, if one does. Relies on rustfmt: the closing
/// brace is indented like the first line.
fn function_length(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    let inner = first.trim_start();
    let before = &inner[..inner.find("fn ")?];
    let qualifiers = ["pub", "const", "unsafe", "extern", "async", "default"];
    let qualified = |word: &str| {
        let word = word.split('(').next().unwrap_or_default();
        qualifiers.contains(&word) || word.starts_with('"') || word.ends_with(')')
    };
    if !before.split_whitespace().all(qualified) || first.trim_end().ends_with(';') {
        return None;
    }
    let end = format!("{}}}", &first[..first.len() - inner.len()]);
    let semicolon = format!("{};", &first[..first.len() - inner.len()]);
    let length = lines
        .iter()
        .position(|line| *line == end || line.starts_with(&semicolon));
    length.map(|position| position + 1)
}

#[test]
fn lines_functions_and_files_stay_small() {
    enforce(check_sizes);
    let long_line = "x".repeat(LONGEST_LINE + 1);
    assert_eq!(check_sizes(&sample("src/a.rs", &long_line)).len(), 1);
    let long_file = "x\n".repeat(LONGEST_FILE + 1);
    assert_eq!(check_sizes(&sample("src/a.rs", &long_file)).len(), 1);
    let function =
        |body: usize| format!("    pub(crate) fn f() {{\n{}    }}\n", "x\n".repeat(body));
    assert_eq!(check_sizes(&sample("src/a.rs", &function(69))).len(), 1);
    assert!(check_sizes(&sample("src/a.rs", &function(68))).is_empty());
}

fn check_first_line(file: &File) -> Vec<String> {
    match file.text.starts_with("//! ") {
        true => Vec::new(),
        false => vec![format!("{}: does not begin with //!", file.path)],
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    enforce(check_first_line);
    assert_eq!(
        check_first_line(&sample("src/a.rs", "use x;\n//! late")).len(),
        1
    );
}

fn check_name(file: &File) -> Vec<String> {
    let parts: Vec<&str> = file.path.trim_end_matches(".rs").split('/').collect();
    let vague = parts.iter().any(|part| VAGUE_NAMES.contains(part));
    let repeated = parts.windows(2).any(|pair| pair[0] == pair[1]);
    match vague || repeated {
        true => vec![format!(
            "{}: name says nothing or repeats its folder",
            file.path
        )],
        false => Vec::new(),
    }
}

#[test]
fn names_say_something() {
    enforce(check_name);
    assert_eq!(check_name(&sample("src/store/store.rs", "")).len(), 1);
    assert_eq!(check_name(&sample("src/common/a.rs", "")).len(), 1);
    assert!(check_name(&sample("src/store/blobs.rs", "")).is_empty());
}

#[test]
fn no_file_names_a_build_machine() {
    // In two parts, so that this file passes its own check.
    let places = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/ro", "ot/.cargo"),
    ];
    let mut all = rust_files();
    for directory in ["tests", "man", "completions", "doc", "docs"] {
        all.extend(files(directory));
    }
    for name in [
        "Cargo.toml",
        "README.md",
        ".cargo/config.toml",
        "clippy.toml",
    ] {
        let text = fs::read_to_string(package().join(name)).unwrap_or_default();
        all.push(sample(name, &text));
    }
    for file in all {
        let found = places.iter().find(|place| file.text.contains(**place));
        assert!(found.is_none(), "{} holds {found:?}", file.path);
    }
}

#[test]
fn every_test_file_is_listed() {
    let listed = fs::read_to_string(package().join("tests/README.md")).expect("page is readable");
    for file in files("tests") {
        let mut names = vec![format!("`{}`", file.path)];
        for (at, _) in file.path.match_indices('/') {
            names.push(format!("`{}`", &file.path[..=at]));
        }
        let found = names.iter().any(|name| listed.contains(name.as_str()));
        let is_page = file.path == "tests/README.md";
        assert!(
            found || is_page,
            "tests/README.md does not list {}",
            file.path
        );
    }
}

/// Runs `hull generate WHAT` and compares the result with the committed directory.
fn compare_generated(what: &str, committed: &str) {
    let fresh = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tidy-{committed}"));
    let _ = fs::remove_dir_all(&fresh);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hull"));
    let output = command
        .args(["generate", what])
        .arg(&fresh)
        .output()
        .expect("hull starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let read = |directory: &Path| -> BTreeMap<String, String> {
        let mut found = Vec::new();
        collect_named(directory, &mut found);
        found.into_iter().collect()
    };
    let (fresh, kept) = (read(&fresh), read(&package().join(committed)));
    assert!(!fresh.is_empty(), "{command:?} wrote nothing");
    let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    let remedy = format!("run: rm -r {committed}; hull generate {what} {committed}");
    assert_eq!(names(&kept), names(&fresh), "{remedy}");
    for (name, text) in &fresh {
        assert!(
            kept.get(name) == Some(text),
            "{committed}/{name} is out of date; {remedy}"
        );
    }
}

fn collect_named(directory: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("directory is readable");
        let text = fs::read_to_string(entry.path()).expect("generated files are text");
        found.push((entry.file_name().to_string_lossy().into_owned(), text));
    }
}

#[test]
fn manual_pages_are_those_of_this_binary() {
    compare_generated("man", "man");
}

#[test]
fn completions_are_those_of_this_binary() {
    compare_generated("completions", "completions");
}
