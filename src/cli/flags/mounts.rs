//! `--volume`, `--mount` and `--tmpfs` → mounts.

use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Command;

use super::{Matches, list, switch, text};
use crate::base::ByteSize;
use crate::container::Request;
use crate::error::{Context as _, Error, Result};
use crate::state::{Mount, MountKind};

const PROPAGATION: [&str; 6] = [
    "private", "rprivate", "shared", "rshared", "slave", "rslave",
];

/// Options of a tmpfs without a value.
const TMPFS_WORDS: [&str; 27] = [
    "ro",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
];

/// Options of a tmpfs with a value.
const TMPFS_KEYS: [&str; 7] = [
    "size",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "mpol",
];

/// Declares them.
pub fn declare(command: Command) -> Command {
    let volume = "Bind mount a directory or file (source:target[:options])";
    let image = "What to do with the image's volumes: anonymous, tmpfs or ignore";
    let tmpfs = "With --read-only, mount a tmpfs on /run, /tmp and /var/tmp";
    command
        .arg(text("image-volume", "string", image))
        .arg(list(
            "mount",
            "mount",
            "Attach a filesystem mount to the container",
        ))
        .arg(switch(
            "read-only",
            "Mount the container's root filesystem as read only",
        ))
        .arg(switch("read-only-tmpfs", tmpfs))
        .arg(list("tmpfs", "list", "Mount a tmpfs directory"))
        .arg(list("volume", "list", volume).short('v'))
        .arg(list(
            "volumes-from",
            "list",
            "Mount what another container mounts",
        ))
}

/// Fills in everything that is mounted; one target may be named once only.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    let mut mounts = Vec::new();
    for text in matches.texts("volume") {
        mounts.push(volume(text)?);
    }
    for text in matches.texts("mount") {
        let refuse = |why| {
            let flag = format!("invalid argument {text:?} for \"--mount\" flag: {why}");
            Error::invalid(flag)
        };
        mounts.push(MountFlag::parse(text).map_err(refuse)?.mount()?);
    }
    for text in matches.texts("tmpfs") {
        mounts.push(tmpfs(text)?);
    }
    for (index, mount) in mounts.iter().enumerate() {
        let before = &mounts[..index];
        if before
            .iter()
            .any(|other: &Mount| other.target == mount.target)
        {
            let target = mount.target.display();
            return Err(Error::invalid(format!("Duplicate mount point: {target}")));
        }
    }
    request.read_only = matches.on("read-only");
    if request.read_only && matches.on("read-only-tmpfs") {
        for target in ["/run", "/tmp", "/var/tmp"].map(PathBuf::from) {
            if !mounts.iter().any(|mount| mount.target == target) {
                mounts.push(scratch(target));
            }
        }
    }
    request.mounts = mounts;
    let many = matches.texts("volumes-from").into_iter();
    request.volumes_from = many.map(str::to_owned).collect();
    Ok(())
}

/// A tmpfs that everybody may write.
fn scratch(target: PathBuf) -> Mount {
    Mount {
        kind: MountKind::Tmpfs,
        source: PathBuf::new(),
        target,
        options: vec!["rw".to_owned(), "mode=1777".to_owned()],
    }
}

/// `source:target[:options]`. A missing source directory is made, as Docker does.
fn volume(text: &str) -> Result<Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.iter().any(|part| part.is_empty()) {
        let why = match text {
            "" => "invalid empty volume spec".to_owned(),
            _ => format!("invalid spec: {text}: empty section between colons"),
        };
        return Err(Error::invalid(why));
    }
    let (source, target, options) = match parts[..] {
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        [_] => {
            return Err(Error::unsupported(format!("anonymous volume {text:?}"))
                .hint("this version binds host directories: use /source:/target"));
        }
        _ => {
            return Err(Error::invalid(format!(
                "invalid volume specification: '{text}'"
            )));
        }
    };
    if !source.starts_with(['/', '.', '~']) {
        return Err(not_a_path(source));
    }
    let subject = || format!("invalid volume specification: '{text}'");
    let target = target_of(target).context(subject)?;
    let options = volume_options(options)?;
    let source = absolute(source)?;
    if !source.exists() {
        fs::create_dir_all(&source).context(|| format!("make {}", source.display()))?;
    }
    Ok(Mount {
        kind: MountKind::Bind,
        source,
        target,
        options,
    })
}

fn not_a_path(source: &str) -> Error {
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let first = source
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if !first || !source.bytes().all(shape) {
        return Error::invalid(format!(
            "create {source}: \"{source}\" includes invalid characters for a local volume name, \
             only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host \
             directory, use absolute path"
        ));
    }
    Error::unsupported(format!("named volume {source:?}"))
        .hint("this version binds host directories: use /source:/target")
}

fn volume_options(text: &str) -> Result<Vec<String>> {
    let mut options: Vec<String> = Vec::new();
    let refuse = || Error::invalid(format!("invalid mode: {text}"));
    for option in text.split(',').filter(|option| !option.is_empty()) {
        match option {
            // SELinux relabelling means nothing where SELinux is not; the rest is what is done.
            "z" | "Z" | "nocopy" | "copy" | "rbind" | "consistent" | "cached" | "delegated" => {}
            "ro" | "rw" | "suid" | "dev" | "exec" | "noexec" | "nosuid" | "nodev" | "bind" => {
                options.push(option.to_owned());
            }
            _ if PROPAGATION.contains(&option) => options.push(option.to_owned()),
            "U" | "O" => {
                let what = format!("volume option {option} is not supported yet");
                return Err(Error::unsupported(what));
            }
            _ if option == "idmap" || option.starts_with("idmap=") => {
                return Err(Error::unsupported(
                    "volume option idmap is not supported yet",
                ));
            }
            _ => return Err(refuse()),
        }
    }
    let has = |name: &str| options.iter().any(|option| option == name);
    if has("ro") && has("rw") {
        return Err(refuse());
    }
    Ok(options)
}

/// `type=bind|tmpfs,source=…,target=…,…`
#[derive(Default)]
struct MountFlag {
    kind: String,
    source: Option<String>,
    target: String,
    options: Vec<String>,
    create_source: bool,
    /// Prefixes of the options that were given, such as `tmpfs`.
    kinds: Vec<&'static str>,
}

impl MountFlag {
    fn parse(text: &str) -> std::result::Result<MountFlag, String> {
        let mut flag = MountFlag {
            kind: "volume".to_owned(),
            ..MountFlag::default()
        };
        for field in csv(text)? {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
                None => (field.to_ascii_lowercase(), None),
            };
            let truth = || match value {
                None => Ok(true),
                Some(value) => super::parse_bool(value)
                    .map_err(|_| format!("invalid value for {key}: {value}")),
            };
            match key.as_str() {
                "readonly" | "ro" => {
                    if truth()? {
                        flag.options.push("ro".to_owned());
                    }
                }
                "bind-nonrecursive" => {
                    if truth()? {
                        flag.options.push("bind".to_owned());
                    }
                }
                "bind-create-src" => flag.create_source = truth()?,
                _ => {
                    let must = || format!("invalid field '{field}' must be a key=value pair");
                    flag.pair(&key, value.ok_or_else(must)?, &field)?;
                }
            }
        }
        flag.check()
    }

    fn pair(&mut self, key: &str, value: &str, field: &str) -> std::result::Result<(), String> {
        match key {
            "type" => self.kind = value.to_ascii_lowercase(),
            "source" | "src" => self.source = Some(value.to_owned()),
            "target" | "dst" | "destination" => self.target = value.to_owned(),
            "bind-propagation" => {
                self.kinds.push("bind");
                if !PROPAGATION.contains(&value) {
                    return Err(format!("invalid propagation mode: {value}"));
                }
                self.options.push(value.to_owned());
            }
            "bind-recursive" => {
                self.kinds.push("bind");
                match value {
                    // Read only reaches what is mounted below in any case.
                    "enabled" | "readonly" => {}
                    "disabled" => self.options.push("bind".to_owned()),
                    "writable" => return Err("bind-recursive=writable is not supported".to_owned()),
                    _ => {
                        return Err(format!(
                            "invalid value for {key}: {value} (must be \"enabled\", \"disabled\", \
                             \"writable\", or \"readonly\")"
                        ));
                    }
                }
            }
            "consistency" => {}
            "tmpfs-size" => {
                self.kinds.push("tmpfs");
                let size: ByteSize = value
                    .parse()
                    .map_err(|_| format!("invalid value for {key}: {value}"))?;
                self.options.push(format!("size={}", size.0));
            }
            "tmpfs-mode" => {
                self.kinds.push("tmpfs");
                u32::from_str_radix(value, 8)
                    .map_err(|_| format!("invalid value for {key}: {value}"))?;
                self.options.push(format!("mode={value}"));
            }
            _ if key.starts_with("volume-") => self.kinds.push("volume"),
            _ if key.starts_with("image-") => self.kinds.push("image"),
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
        Ok(())
    }

    fn check(self) -> std::result::Result<MountFlag, String> {
        if self.kind.is_empty() {
            return Err("type is required".to_owned());
        }
        if self.target.is_empty() {
            return Err("target is required".to_owned());
        }
        match self.kinds.iter().find(|kind| **kind != self.kind) {
            Some(kind) => Err(format!(
                "cannot mix '{kind}-*' options with mount type '{}'",
                self.kind
            )),
            None => Ok(self),
        }
    }

    fn mount(self) -> Result<Mount> {
        let subject = || format!("invalid mount config for type {:?}", self.kind);
        let target = target_of(&self.target).context(subject)?;
        match self.kind.as_str() {
            "bind" => {
                let source = self.source.as_deref().unwrap_or_default();
                if source.is_empty() {
                    return Err(Error::invalid("field Source must not be empty")).context(subject);
                }
                let path = absolute(source)?;
                if !path.exists() && self.create_source {
                    fs::create_dir_all(&path).context(|| format!("make {}", path.display()))?;
                }
                if !path.exists() {
                    let why = format!("bind source path does not exist: {}", path.display());
                    return Err(Error::invalid(why)).context(subject);
                }
                Ok(Mount {
                    kind: MountKind::Bind,
                    source: path,
                    target,
                    options: self.options,
                })
            }
            "tmpfs" if self.source.is_some() => {
                Err(Error::invalid("field Source must not be specified")).context(subject)
            }
            "tmpfs" => Ok(Mount {
                kind: MountKind::Tmpfs,
                source: PathBuf::new(),
                target,
                options: self.options,
            }),
            other @ ("volume" | "image" | "cluster" | "npipe" | "devpts" | "glob" | "ramfs") => {
                Err(Error::unsupported(format!("mount type {other:?}"))
                    .hint("this version mounts bind and tmpfs"))
            }
            _ => Err(Error::invalid("mount type unknown")).context(subject),
        }
    }
}

/// The fields of one line of CSV: separated by commas, quoted as a whole or not at all.
fn csv(text: &str) -> std::result::Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = rest.split_once(',').unwrap_or((rest, ""));
            let more = field.len() < rest.len();
            if field.contains('"') {
                return Err("bare \" in non-quoted field".to_owned());
            }
            fields.push(field.to_owned());
            if !more {
                return Ok(fields);
            }
            rest = after;
            continue;
        };
        let mut field = String::new();
        let mut characters = quoted.char_indices().peekable();
        let end = loop {
            match characters.next() {
                None => return Err("extraneous or missing \" in quoted-field".to_owned()),
                Some((_, '"')) if characters.peek().is_some_and(|(_, c)| *c == '"') => {
                    characters.next();
                    field.push('"');
                }
                Some((at, '"')) => break at + 1,
                Some((_, other)) => field.push(other),
            }
        };
        fields.push(field);
        match quoted[end..].strip_prefix(',') {
            Some(after) => rest = after,
            None if quoted[end..].is_empty() => return Ok(fields),
            None => return Err("extraneous or missing \" in quoted-field".to_owned()),
        }
    }
}

/// `target[:options]`, options as mount(8) has them for tmpfs.
fn tmpfs(text: &str) -> Result<Mount> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut all = vec!["noexec".to_owned()];
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let key = option.split_once('=').map(|(key, _)| key);
        let known = match key {
            Some(key) => TMPFS_KEYS.contains(&key),
            None => TMPFS_WORDS.contains(&option),
        };
        if !known {
            let why = format!("invalid tmpfs option [{option:?}]");
            return Err(Error::invalid(why));
        }
        match option {
            "exec" => all.retain(|known| known != "noexec"),
            _ => all.push(option.to_owned()),
        }
    }
    Ok(Mount {
        kind: MountKind::Tmpfs,
        source: PathBuf::new(),
        target: target_of(target)?,
        options: all,
    })
}

/// A path of the host as the caller means it.
pub fn absolute(path: &str) -> Result<PathBuf> {
    if path.starts_with('~') {
        return Err(Error::invalid(format!(
            "{path:?}: the shell did not expand ~"
        )));
    }
    std::path::absolute(path).context(|| format!("resolve {path}"))
}

fn target_of(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(Error::invalid(format!(
            "invalid mount path: '{text}' mount path must be absolute"
        )));
    }
    let parts = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir));
    let path: PathBuf = parts.collect();
    match path == Path::new("/") {
        true => Err(Error::invalid(
            "invalid specification: destination can't be '/'",
        )),
        false => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(text: &str) -> String {
        let flag = match MountFlag::parse(text) {
            Ok(flag) => flag,
            Err(why) => return why,
        };
        match flag.mount() {
            Ok(mount) => {
                let (source, target) = (mount.source.display(), mount.target.display());
                format!("{source} {target} {}", mount.options.join(","))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_mount_flag_has_dockers_grammar_and_messages() {
        let missing =
            "invalid mount config for type \"bind\": bind source path does not exist: /no";
        let relative = "invalid mount config for type \"bind\": invalid mount path: 'x' mount path \
                        must be absolute";
        let table = [
            ("type=bind,src=/tmp,dst=/x", "/tmp /x "),
            ("type=BIND,Source=/tmp,Target=/x,readonly", "/tmp /x ro"),
            ("type=bind,src=/tmp,dst=/x,ro=false", "/tmp /x "),
            (
                "type=bind,src=/tmp,dst=/x,bind-propagation=rslave",
                "/tmp /x rslave",
            ),
            (
                "type=bind,src=/tmp,dst=/x,bind-recursive=disabled",
                "/tmp /x bind",
            ),
            ("type=bind,\"src=/tmp\",dst=/x", "/tmp /x "),
            (
                "type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1777",
                " /x size=1048576,mode=1777",
            ),
            ("type=bind,src=/no,dst=/x", missing),
            ("type=bind,src=/tmp,dst=x", relative),
            ("type=bind,src=/tmp", "target is required"),
            ("type=,dst=/x", "type is required"),
            (
                "type=bind,src=/tmp,dst=/x,nope=1",
                "unexpected key 'nope' in 'nope=1'",
            ),
            (
                "type=bind,src=/tmp,dst=/x,nope",
                "invalid field 'nope' must be a key=value pair",
            ),
            (
                "type=bind,src=/tmp,dst=/x,ro=perhaps",
                "invalid value for ro: perhaps",
            ),
            (
                "type=bind,src=/tmp,dst=/x,tmpfs-size=1",
                "cannot mix 'tmpfs-*' options with mount type 'bind'",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(mount(text), expected, "{text}");
        }
        assert!(mount("source=name,target=/x").starts_with("mount type \"volume\""));
    }

    #[test]
    fn quoted_fields_may_hold_commas() {
        let fields = |text| csv(text).map(|fields| fields.join("|"));
        assert_eq!(fields("a=1,\"b=2,3\",c"), Ok("a=1|b=2,3|c".to_owned()));
        assert_eq!(fields("\"a\"\"b\""), Ok("a\"b".to_owned()));
        assert_eq!(fields("a,"), Ok("a|".to_owned()));
        assert!(fields("\"a").is_err() && fields("\"a\"b").is_err() && fields("a\"b").is_err());
    }

    #[test]
    fn volume_errors_are_those_of_docker() {
        let message = |text: &str| volume(text).expect_err(text).to_string();
        assert_eq!(
            message(":/x"),
            "invalid spec: :/x: empty section between colons"
        );
        assert_eq!(message("/tmp:/x:bad"), "invalid mode: bad");
        assert_eq!(message("/tmp:/x:ro,rw"), "invalid mode: ro,rw");
        assert!(message("/tmp:x").ends_with("'x' mount path must be absolute"));
        assert!(message("/tmp:/").ends_with("destination can't be '/'"));
        assert!(message("a/b:/x").starts_with("create a/b: \"a/b\" includes invalid characters"));
        assert!(message("name:/x").starts_with("named volume"));
        assert!(message("/tmp:/x:U").contains("option U"));
    }

    #[test]
    fn tmpfs_options_are_known_or_refused() {
        let mount = tmpfs("/x:size=1m,mode=700,exec").expect("is legal");
        assert_eq!(mount.options, ["size=1m", "mode=700"]);
        let message = tmpfs("/x:nope").expect_err("unknown").to_string();
        assert_eq!(message, "invalid tmpfs option [\"nope\"]");
        assert!(tmpfs("x").is_err() && tmpfs("/").is_err());
    }
}
