//! A registry on the loopback interface: Debian's docker-registry, on a free port, for one test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, skip};
use crate::images::Image;
use crate::process::{run, wait_until};

/// Runs until it is dropped.
pub struct Registry {
    server: Child,
    port: u16,
    dir: PathBuf,
}

impl Registry {
    /// Starts one, or says `SKIP` if this machine has none.
    pub fn start(bed: &Bed) -> Option<Registry> {
        for program in ["/usr/bin/docker-registry", "/usr/bin/skopeo"] {
            if !Path::new(program).exists() {
                skip(&format!("no {program}"));
                return None;
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        drop(listener);
        let dir = bed.dir.join("registry");
        std::fs::create_dir(&dir).expect("registry directory");
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:{port}\n",
            dir.display()
        );
        let config_path = dir.join("config.yml");
        std::fs::write(&config_path, config).expect("registry configuration");
        let server = Command::new("/usr/bin/docker-registry")
            .arg("serve")
            .arg(&config_path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let registry = Registry { server, port, dir };
        wait_until("the registry answers", || registry.get("/v2/").is_some());
        Some(registry)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT/name`.
    pub fn name(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }

    /// Puts an image there, with skopeo; returns its full name.
    pub fn push(&self, image: &Image, name: &str) -> String {
        let archive = self.dir.join("push.tar");
        std::fs::write(&archive, image.oci().archive()).expect("archive");
        let mut command = Command::new("/usr/bin/skopeo");
        command
            .args(["copy", "-q", "--insecure-policy", "--dest-tls-verify=false"])
            .arg(format!("oci-archive:{}", archive.display()))
            .arg(format!("docker://{}", self.name(name)));
        run(command, b"").ok();
        self.name(name)
    }

    /// The digest of the manifest with this tag, as the registry says.
    pub fn digest(&self, name: &str, tag: &str) -> String {
        let path = format!("/v2/{name}/manifests/{tag}");
        let accept = "application/vnd.oci.image.manifest.v1+json, \
            application/vnd.docker.distribution.manifest.v2+json";
        let answer = self.ask(&path, &format!("Accept: {accept}\r\n"));
        let answer = answer.expect("the registry answers");
        let line = answer
            .lines()
            .find_map(|line| line.strip_prefix("Docker-Content-Digest: "));
        line.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The file that holds a blob, to be damaged by a test.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = &digest["sha256:".len()..];
        let blobs = self.dir.join("docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    /// The head and body of `GET path`.
    pub fn get(&self, path: &str) -> Option<String> {
        self.ask(path, "")
    }

    /// The same with more header lines.
    fn ask(&self, path: &str, headers: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Errors would mean that it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
        // Should: go before the bed looks for leaks.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
