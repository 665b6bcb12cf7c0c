//! DNS messages and one exchange with a name server (RFC 1035): UDP, then TCP if truncated.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Which address family is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A records.
    V4 = 1,
    /// AAAA records.
    V6 = 28,
}

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Addresses, perhaps none of this family.
    Addresses(Vec<IpAddr>),
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The answer did not fit: ask over TCP.
    Truncated,
}

/// The header flag "truncated" in its byte.
const TRUNCATED: u8 = 0x02;
/// Compression pointers followed in one name; more is a loop.
const MAX_POINTERS: usize = 32;

/// A query for `name`, recursion desired. `None` if the name cannot be written as labels.
pub fn query(id: u16, name: &str, family: Family) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(name.len() + 18);
    message.extend(id.to_be_bytes());
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.trim_end_matches('.');
    if name.len() > 253 {
        return None;
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if !(1..=63).contains(&length) {
            return None;
        }
        message.push(length);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, family as u8, 0, 1]);
    Some(message)
}

/// Reads the answer to `asked`; `None` if it is not one (wrong id, another question, malformed).
pub fn parse(asked: &[u8], message: &[u8]) -> Option<Answer> {
    let header = message.get(..12)?;
    // The question is echoed byte for byte; a stray or forged packet has another one.
    let same_question = message
        .get(12..asked.len())?
        .eq_ignore_ascii_case(&asked[12..]);
    if header[..2] != asked[..2] || header[2] & 0x80 == 0 || !same_question {
        return None;
    }
    if header[2] & TRUNCATED != 0 {
        return Some(Answer::Truncated);
    }
    match header[3] & 0x0f {
        0 => {}
        3 => return Some(Answer::NoSuchName),
        _ => return None,
    }
    let records = u16::from_be_bytes([header[6], header[7]]);
    let wanted = asked[asked.len() - 3];
    let mut at = asked.len();
    let mut addresses = Vec::new();
    for _ in 0..records {
        at = skip_name(message, at)?;
        let fixed = message.get(at..at + 10)?;
        let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let data = message.get(at + 10..at + 10 + length)?;
        at += 10 + length;
        // CNAME records need no chase: a recursive server sends the addresses along.
        if fixed[..2] == [0, wanted] {
            if let Ok(v4) = <[u8; 4]>::try_from(data) {
                addresses.push(v4.into());
            } else if let Ok(v6) = <[u8; 16]>::try_from(data) {
                addresses.push(v6.into());
            }
        }
    }
    Some(Answer::Addresses(addresses))
}

/// The offset after the name at `at`; a pointer ends it.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..MAX_POINTERS * 4 {
        let length = *message.get(at)?;
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + usize::from(length),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
    None
}

/// One exchange with `server` within `patience`; `None` if nothing usable came.
pub fn exchange(server: SocketAddr, asked: &[u8], patience: Duration) -> Option<Answer> {
    match exchange_udp(server, asked, patience) {
        Some(Answer::Truncated) => exchange_tcp(server, asked, patience),
        other => other,
    }
}

fn exchange_udp(server: SocketAddr, asked: &[u8], patience: Duration) -> Option<Answer> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any).ok()?;
    // Connected, so that the kernel drops packets from anybody else.
    socket.connect(server).ok()?;
    socket.send(asked).ok()?;
    let end = Instant::now() + patience;
    let mut buffer = [0; 4096];
    loop {
        let left = end.checked_duration_since(Instant::now())?;
        socket
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))
            .ok()?;
        let length = socket.recv(&mut buffer).ok()?;
        if let Some(answer) = parse(asked, &buffer[..length]) {
            return Some(answer);
        }
        if buffer[..length].get(..2) == Some(&asked[..2]) {
            return None;
        }
    }
}

fn exchange_tcp(server: SocketAddr, asked: &[u8], patience: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&server, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    let length = u16::try_from(asked.len()).ok()?;
    stream.write_all(&length.to_be_bytes()).ok()?;
    stream.write_all(asked).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    parse(asked, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(asked: &[u8], flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
        let mut message = asked.to_vec();
        message[2] = 0x80 | flags[0];
        message[3] = flags[1];
        message[7] = records.len() as u8;
        for data in records {
            message.extend([0xc0, 12, 0, if data.len() == 4 { 1 } else { 28 }, 0, 1]);
            message.extend([0, 0, 0, 60, 0, data.len() as u8]);
            message.extend(*data);
        }
        message
    }

    #[test]
    fn answers_are_read_and_others_are_not() {
        let asked = query(7, "reg.example", Family::V4).expect("a name");
        let good = answer(&asked, [0, 0], &[&[10, 0, 0, 1], &[10, 0, 0, 2]]);
        let addresses = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        assert_eq!(parse(&asked, &good), Some(Answer::Addresses(addresses)));
        let gone = answer(&asked, [0, 3], &[]);
        assert_eq!(parse(&asked, &gone), Some(Answer::NoSuchName));
        let cut = answer(&asked, [TRUNCATED, 0], &[]);
        assert_eq!(parse(&asked, &cut), Some(Answer::Truncated));
        let other = query(8, "reg.example", Family::V4).expect("a name");
        assert_eq!(parse(&other, &good), None, "another id");
        for end in 0..good.len() {
            // Any cut is refused, never a panic.
            assert_eq!(parse(&asked, &good[..end]), None, "{end}");
        }
    }

    #[test]
    fn names_that_are_no_names_are_not_asked() {
        let long = "a".repeat(64);
        for bad in ["", "a..b", ".", &long] {
            assert!(query(1, bad, Family::V4).is_none(), "{bad:?}");
        }
    }
}
