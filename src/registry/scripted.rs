//! A registry that does what a test tells it to: one closure from request to reply, on loopback.
//! It speaks plain HTTP; a TLS greeting gets the answer real servers give.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the client sent.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Path with query.
    pub path: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first byte of a `Range` header.
    pub fn range_start(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.split('-').next()?.parse().ok()
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status line without the version.
    pub status: &'static str,
    /// Header lines.
    pub headers: Vec<String>,
    /// Body; announced with its true length unless `headers` announce another.
    pub body: Vec<u8>,
    /// Close the connection after this many bytes of the body.
    pub cut: Option<usize>,
}

impl Reply {
    /// 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status: "200 OK",
            headers: Vec::new(),
            body: body.into(),
            cut: None,
        }
    }

    /// Another status without a body.
    pub fn status(status: &'static str) -> Self {
        Reply {
            status,
            ..Reply::ok("")
        }
    }

    /// With one more header line.
    pub fn header(mut self, line: impl Into<String>) -> Self {
        self.headers.push(line.into());
        self
    }

    /// Closed after so many bytes.
    pub fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }
}

/// A running server. Its thread ends with the test process.
pub struct Scripted {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts a server that answers with `script`.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (script.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &*script, &log));
            }
        });
        Scripted { address, asked }
    }

    /// Everything asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .expect("no test thread panics here")
            .clone()
    }

    /// How many requests had this in their path.
    pub fn count(&self, part: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.path.contains(part))
            .count()
    }
}

fn serve(
    stream: TcpStream,
    script: &(impl Fn(&Asked) -> Reply + ?Sized),
    log: &Mutex<Vec<Asked>>,
) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    if reader.fill_buf().ok()?.first() == Some(&0x16) {
        writer
            .write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nTLS?\n")
            .ok()?;
        // Closing with unread bytes would reset the connection before the answer is read.
        let _ = reader.read(&mut [0; 4096]);
        return None;
    }
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let asked = Asked { path, headers };
    log.lock().ok()?.push(asked.clone());
    let reply = script(&asked);
    let announced = reply.headers.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("content-length") || line.starts_with("transfer-encoding")
    });
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
    if !announced {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    for line in &reply.headers {
        head += &format!("{line}\r\n");
    }
    writer.write_all(head.as_bytes()).ok()?;
    writer.write_all(b"\r\n").ok()?;
    let end = reply.cut.unwrap_or(reply.body.len()).min(reply.body.len());
    writer.write_all(&reply.body[..end]).ok()
}
