//! Registries and what stands before them, on the loopback interface: certificates of an authority
//! of the test's own, Debian's docker-registry with TLS and passwords, scripted servers behind TLS,
//! and a proxy that knows names nobody else knows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::bed::{Bed, skip};
use crate::images::Image;
use crate::process::{run, wait_until};

/// Name and password of everybody who may enter.
pub const USER: &str = "hull";
pub const PASSWORD: &str = "s3cret";
/// The same for docker-registry: bcrypt of the password, with the least cost.
const HTPASSWD: &str = "hull:$2b$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG\n";

/// A certificate with its key, in files.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// When a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    Now,
    Past,
}

/// Signs certificates.
pub struct Authority {
    dir: PathBuf,
}

impl Authority {
    /// A new one, or `SKIP` where there is no openssl.
    pub fn new(bed: &Bed) -> Option<Authority> {
        if !Path::new("/usr/bin/openssl").exists() {
            skip("no /usr/bin/openssl");
            return None;
        }
        let dir = bed.dir.join("authority");
        std::fs::create_dir(&dir).expect("directory");
        let config = format!(
            "[ca]\ndefault_ca = d\n[d]\ndatabase = {0}/index\nnew_certs_dir = {0}\n\
             rand_serial = yes\ndefault_md = sha256\npolicy = p\ncopy_extensions = copy\n\
             unique_subject = no\n[p]\ncommonName = supplied\n",
            dir.display()
        );
        std::fs::write(dir.join("config"), config).expect("written");
        std::fs::write(dir.join("index"), "").expect("written");
        let authority = Authority { dir };
        authority.make("ca", "CN=the test's authority", &["-x509", "-days", "10"]);
        Some(authority)
    }

    /// Its own certificate, to be trusted.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// A certificate for these names, as `DNS:reg.example,IP:127.0.0.1`.
    pub fn issue(&self, name: &str, names: &str, dates: Dates) -> Certificate {
        let extension = format!("subjectAltName={names}");
        let csr = self.make(name, &format!("CN={name}"), &["-addext", &extension]);
        let signed = self.dir.join(format!("{name}.crt"));
        let (from, to) = match dates {
            Dates::Now => ("20250101000000Z", "20490101000000Z"),
            Dates::Past => ("20200101000000Z", "20200201000000Z"),
        };
        let mut command = Command::new("/usr/bin/openssl");
        command.args([
            "ca",
            "-batch",
            "-notext",
            "-startdate",
            from,
            "-enddate",
            to,
        ]);
        for (flag, file) in [
            ("-config", "config"),
            ("-cert", "ca.pem"),
            ("-keyfile", "ca.key"),
        ] {
            command.arg(flag).arg(self.dir.join(file));
        }
        command
            .arg("-in")
            .arg(&csr.certificate)
            .arg("-out")
            .arg(&signed);
        run(command, b"").ok();
        let certificate = signed;
        Certificate { certificate, ..csr }
    }

    /// What tutorials make: signed by itself, and calling itself an authority.
    pub fn self_signed(&self, names: &str) -> Certificate {
        let extension = format!("subjectAltName={names}");
        let flags = ["-x509", "-days", "10", "-addext", &extension];
        self.make("self", "CN=self", &flags)
    }

    fn make(&self, name: &str, subject: &str, flags: &[&str]) -> Certificate {
        let made = Certificate {
            certificate: self.dir.join(format!("{name}.pem")),
            key: self.dir.join(format!("{name}.key")),
        };
        let mut command = Command::new("/usr/bin/openssl");
        command.args(["req", "-new", "-newkey", "ec", "-nodes"]);
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj"]);
        command.arg(format!("/{subject}")).args(flags);
        command.arg("-keyout").arg(&made.key);
        command.arg("-out").arg(&made.certificate);
        run(command, b"").ok();
        made
    }
}

/// A free port of the loopback interface.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("is bound").port()
}

/// How a [`Site`] is to be.
#[derive(Default)]
pub struct SiteOptions<'a> {
    pub tls: Option<&'a Certificate>,
    /// Shows its certificate to those only who have one of this authority.
    pub clients: Option<&'a Authority>,
    /// Only [`USER`] may enter.
    pub password: bool,
}

/// A docker-registry, until it is dropped.
pub struct Site {
    server: Child,
    pub port: u16,
    dir: PathBuf,
}

impl Site {
    /// Starts one, or says `SKIP` where there is none.
    pub fn start(bed: &Bed, options: &SiteOptions<'_>) -> Option<Site> {
        for program in ["/usr/bin/docker-registry", "/usr/bin/skopeo"] {
            if !Path::new(program).exists() {
                skip(&format!("no {program}"));
                return None;
            }
        }
        let port = free_port();
        let dir = bed.dir.join(format!("site-{port}"));
        std::fs::create_dir(&dir).expect("site directory");
        let root = dir.display();
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    \
             rootdirectory: {root}/data\n"
        );
        if options.password {
            std::fs::write(dir.join("htpasswd"), HTPASSWD).expect("written");
            config += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {root}/htpasswd\n");
        }
        config += &format!("http:\n  addr: 127.0.0.1:{port}\n");
        if let Some(tls) = options.tls {
            let (certificate, key) = (tls.certificate.display(), tls.key.display());
            config += &format!("  tls:\n    certificate: {certificate}\n    key: {key}\n");
            if let Some(clients) = options.clients {
                let authority = clients.certificate();
                config += &format!("    clientcas:\n      - {}\n", authority.display());
            }
        }
        std::fs::write(dir.join("config.yml"), config).expect("site configuration");
        let server = Command::new("/usr/bin/docker-registry")
            .arg("serve")
            .arg(dir.join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let site = Site { server, port, dir };
        let connects = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        wait_until("the registry listens", connects);
        Some(site)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Puts an image there, with skopeo.
    pub fn push(&self, image: &Image, name: &str) {
        let archive = self.dir.join("push.tar");
        std::fs::write(&archive, image.oci().archive()).expect("archive");
        let mut command = Command::new("/usr/bin/skopeo");
        command
            .args(["copy", "-q", "--insecure-policy", "--dest-tls-verify=false"])
            .arg(format!("--dest-creds={USER}:{PASSWORD}"))
            .arg(format!("oci-archive:{}", archive.display()))
            .arg(format!("docker://{}/{name}", self.host()));
        run(command, b"").ok();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Errors would mean that it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
        // Should: go before the bed looks for leaks.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// TLS before a plain server. Its threads end with the test process.
pub struct TlsFront {
    pub port: u16,
}

impl TlsFront {
    /// Shows `certificate` and passes on to `backend`.
    pub fn start(certificate: &Certificate, backend: u16) -> TlsFront {
        let chain = CertificateDer::pem_file_iter(&certificate.certificate).expect("readable");
        let chain = chain.collect::<Result<_, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("they belong together");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let config = config.clone();
                // A peer that gave up is the client's matter.
                std::thread::spawn(move || serve_tls(client, config, backend).ok());
            }
        });
        TlsFront { port }
    }
}

/// One request and its answer: the servers behind close after each.
fn serve_tls(
    mut client: TcpStream,
    config: Arc<ServerConfig>,
    backend: u16,
) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = rustls::Stream::new(&mut connection, &mut client);
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", backend))?;
    server.write_all(&request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    stream.write_all(&answer)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    client.shutdown(Shutdown::Write)
}

/// Whether a request is there with its body, which may come in a record of its own.
fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    request.len() >= head + 4 + length.unwrap_or(0)
}

/// A CONNECT proxy: what it leads to, and what it was asked. Its threads end with the process.
pub struct Proxy {
    pub port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Leads each `host:port` of the table to a port of the loopback interface, others nowhere.
    pub fn start(table: &[(&str, u16)]) -> Proxy {
        let table: Vec<_> = table
            .iter()
            .map(|(name, port)| ((*name).to_owned(), *port))
            .collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (table, log) = (Arc::new(table), heads.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (table, log) = (table.clone(), log.clone());
                std::thread::spawn(move || tunnel(client, &table, &log));
            }
        });
        Proxy { port, heads }
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics with it").clone()
    }
}

fn tunnel(client: TcpStream, table: &[(String, u16)], log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let target = head.split(' ').nth(1)?.to_owned();
    log.lock().ok()?.push(head);
    let mut writer = client;
    let Some((_, port)) = table.iter().find(|(name, _)| *name == target) else {
        return writer.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").ok();
    };
    let mut server = TcpStream::connect(("127.0.0.1", *port)).ok()?;
    writer
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .ok()?;
    let mut back = server.try_clone().ok()?;
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut writer);
        writer.shutdown(Shutdown::Write)
    });
    let _ = std::io::copy(&mut reader, &mut server);
    server.shutdown(Shutdown::Write).ok()
}
