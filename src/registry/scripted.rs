//! A registry that does what a test tells it to: one closure from request to reply, on loopback.
//! It speaks plain HTTP; a TLS greeting gets the answer real servers give.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the client sent.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`, `PUT`, …
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was read of the body.
    pub body: Vec<u8>,
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
    /// Keep it open that long afterwards, sending nothing.
    pub stall: Duration,
    /// Keep it open that long before, sending and reading nothing.
    pub silent: Duration,
}

impl Reply {
    /// 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status: "200 OK",
            headers: Vec::new(),
            body: body.into(),
            cut: None,
            stall: Duration::ZERO,
            silent: Duration::ZERO,
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

    /// Silent after the last byte instead of closed.
    pub fn stall(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// Silent before the first byte.
    pub fn silent(mut self, time: Duration) -> Self {
        self.silent = time;
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
        Scripted::with_appetite(|_| usize::MAX, script)
    }

    /// The same, reading no more of a body than `appetite` says. If that is less than all, the
    /// script sees what was read and the connection is closed without an answer.
    pub fn with_appetite(
        appetite: impl Fn(&Asked) -> usize + Send + Sync + 'static,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        let script: Arc<Script> = Arc::new((Box::new(appetite), Box::new(script)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (script.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &script, &log));
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

    /// Methods and paths of everything asked so far that is not a try of TLS.
    pub fn lines(&self) -> Vec<String> {
        let asked = self.asked();
        let lines = asked
            .iter()
            .map(|asked| format!("{} {}", asked.method, asked.path));
        lines.collect()
    }

    /// How many requests had this in their path.
    pub fn count(&self, part: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.path.contains(part))
            .count()
    }
}

/// How much of a body is read, and what is answered.
type Script = (
    Box<dyn Fn(&Asked) -> usize + Send + Sync>,
    Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
);

fn serve(stream: TcpStream, script: &Script, log: &Mutex<Vec<Asked>>) -> Option<()> {
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
    let method = line.split(' ').next()?.to_owned();
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
    let mut asked = Asked {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = asked.header("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap_or(0));
    let appetite = length.min((script.0)(&asked));
    (&mut reader)
        .take(appetite as u64)
        .read_to_end(&mut asked.body)
        .ok()?;
    log.lock().ok()?.push(asked.clone());
    let reply = (script.1)(&asked);
    std::thread::sleep(reply.silent);
    if appetite < length {
        return None;
    }
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
    if asked.method == "HEAD" {
        return Some(());
    }
    let end = reply.cut.unwrap_or(reply.body.len()).min(reply.body.len());
    writer.write_all(&reply.body[..end]).ok()?;
    std::thread::sleep(reply.stall);
    Some(())
}
