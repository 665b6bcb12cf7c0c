//! What the two words of `cp` mean. Pure.

use crate::error::{Error, Result};

/// One side of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    Container {
        name: String,
        path: String,
    },
    Local(String),
    /// A tar stream: standard input or output.
    Stream,
}

impl Endpoint {
    /// `CONTAINER:PATH`, `-`, or a local path. A local path that holds a colon is written with `/`
    /// or `.` at its beginning.
    pub fn parse(word: &str) -> Endpoint {
        if word == "-" {
            return Endpoint::Stream;
        }
        match word.split_once(':') {
            Some((name, path)) if !word.starts_with(['/', '.']) => Endpoint::Container {
                name: name.to_owned(),
                path: path.to_owned(),
            },
            _ => Endpoint::Local(word.to_owned()),
        }
    }
}

/// A path as typed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// Absolute, without `.`, `..` and doubled slashes.
    pub path: String,
    /// Its last name; empty for the root.
    pub name: String,
    /// It ends as only directories do, and a link at its end is followed.
    pub is_directory: bool,
    /// Not the directory but what is in it: `DIR/.`.
    pub contents: bool,
}

impl Typed {
    /// Reads `text`, which starts at `base` unless it is absolute.
    pub fn new(text: &str, base: &str) -> Typed {
        let whole = match text.starts_with('/') {
            true => text.to_owned(),
            false => format!("{base}/{text}"),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let last = whole.rsplit('/').next().unwrap_or("");
        let path = format!("/{}", parts.join("/"));
        Typed {
            name: parts
                .last()
                .map_or_else(String::new, |name| (*name).to_owned()),
            is_directory: matches!(last, "" | "." | "..") || parts.is_empty(),
            contents: last == "." || parts.is_empty(),
            path,
        }
    }

    /// The path with the mark at its end that was typed, for messages.
    pub fn shown(&self, text: &str) -> String {
        let end = match text {
            _ if self.path == "/" => "",
            text if text.ends_with("/.") => "/.",
            text if text.ends_with('/') => "/",
            _ => "",
        };
        format!("{}{end}", self.path)
    }

    /// The directory that holds it.
    pub fn parent(&self) -> &str {
        match self.path.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((parent, _)) => parent,
        }
    }
}

/// What is at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    Directory,
    File,
}

/// Where the copy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Into the directory that is there, under the source's name.
    Inside,
    /// What is in the source goes into the directory that is there.
    Merge,
    /// Under the target's own name.
    As,
}

/// Docker's rules.
pub(super) fn place(
    source_is_directory: bool,
    contents: bool,
    target: &Typed,
    there: There,
) -> Result<Placement> {
    match (there, source_is_directory) {
        (There::Directory, true) if contents => Ok(Placement::Merge),
        (There::Directory, _) => Ok(Placement::Inside),
        (There::File, true) => {
            Err(Error::conflict("cannot copy directory").hint("the destination is a file"))
        }
        (There::File, false) if target.is_directory => Err(Error::conflict("not a directory")),
        (There::Nothing, false) if target.is_directory => {
            Err(Error::not_found("no such directory"))
        }
        (There::File, false) | (There::Nothing, _) => Ok(Placement::As),
    }
}

#[cfg(test)]
mod tests {
    //! The cases are those of docker/cli's `TestSplitCpArg` and of the tables in moby's
    //! integration-cli `docker_cli_cp_utils_test.go` (both Apache-2.0), written anew.

    use super::*;

    #[test]
    fn words_name_a_container_a_local_path_or_a_stream() {
        let container = |name: &str, path: &str| Endpoint::Container {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        let local = |path: &str| Endpoint::Local(path.to_owned());
        let table = [
            ("-", Endpoint::Stream),
            ("c:/etc", container("c", "/etc")),
            ("c:etc", container("c", "etc")),
            ("c:/a:b", container("c", "/a:b")),
            ("c:", container("c", "")),
            (":/x", container("", "/x")),
            ("/a:b", local("/a:b")),
            ("./a:b", local("./a:b")),
            ("../a:b", local("../a:b")),
            (".a:b", local(".a:b")),
            ("plain", local("plain")),
            ("/", local("/")),
        ];
        for (word, endpoint) in table {
            assert_eq!(Endpoint::parse(word), endpoint, "{word}");
        }
    }

    #[test]
    fn paths_are_taken_apart_as_typed() {
        // path, name, ends as a directory, contents only, shown
        let table = [
            ("/a/b", "/a/b", "b", false, false, "/a/b"),
            ("/a/b/", "/a/b", "b", true, false, "/a/b/"),
            ("/a/b/.", "/a/b", "b", true, true, "/a/b/."),
            ("a", "/base/a", "a", false, false, "/base/a"),
            (".", "/base", "base", true, true, "/base"),
            ("..", "/", "", true, true, "/"),
            ("./x//y/../z", "/base/x/z", "z", false, false, "/base/x/z"),
            ("/", "/", "", true, true, "/"),
            ("/..", "/", "", true, true, "/"),
            ("", "/base", "base", true, false, "/base"),
        ];
        for (text, path, name, is_directory, contents, shown) in table {
            let typed = Typed::new(text, "/base");
            let wanted = Typed {
                path: path.to_owned(),
                name: name.to_owned(),
                is_directory,
                contents,
            };
            assert_eq!(typed, wanted, "{text:?}");
            assert_eq!(typed.shown(text), shown, "{text:?}");
        }
    }

    #[test]
    fn copies_go_where_docker_puts_them() {
        const FILE: (bool, bool) = (false, false);
        const DIR: (bool, bool) = (true, false);
        const CONTENTS: (bool, bool) = (true, true);
        let table = [
            (FILE, "/t", There::Nothing, Ok(Placement::As)),
            (FILE, "/t/", There::Nothing, Err("no such directory")),
            (FILE, "/t", There::File, Ok(Placement::As)),
            (FILE, "/t/", There::File, Err("not a directory")),
            (FILE, "/t", There::Directory, Ok(Placement::Inside)),
            (FILE, "/t/.", There::Directory, Ok(Placement::Inside)),
            (DIR, "/t", There::Nothing, Ok(Placement::As)),
            (DIR, "/t/", There::Nothing, Ok(Placement::As)),
            (DIR, "/t", There::File, Err("cannot copy directory")),
            (DIR, "/t", There::Directory, Ok(Placement::Inside)),
            (DIR, "/t/", There::Directory, Ok(Placement::Inside)),
            (CONTENTS, "/t", There::Nothing, Ok(Placement::As)),
            (CONTENTS, "/t", There::File, Err("cannot copy directory")),
            (CONTENTS, "/t", There::Directory, Ok(Placement::Merge)),
        ];
        for ((is_directory, contents), target, there, wanted) in table {
            let typed = Typed::new(target, "/");
            let placed = place(is_directory, contents, &typed, there);
            let placed = placed.map_err(|error| error.to_string());
            assert_eq!(placed, wanted.map_err(str::to_owned), "{target} {there:?}");
        }
    }
}
