//! System call names and their numbers on the three ABIs of an x86 kernel (`numbers.txt`).
//!
//! Also compiled into build.rs: uses the standard library only.

/// One way into the kernel; a program may use all three at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abi {
    X86_64 = 0,
    /// `int 0x80` and 32-bit programs.
    I386 = 1,
    /// 64-bit registers, 32-bit pointers; numbers have bit 30 set.
    X32 = 2,
}

/// What makes a number an x32 one (`__X32_SYSCALL_BIT`).
pub const X32_BIT: u32 = 0x4000_0000;

type Row = (&'static str, [Option<u32>; 3]);

/// The table, sorted by name.
pub struct Numbers(Vec<Row>);

impl Numbers {
    /// Reads the embedded table: only when a filter is compiled at run time.
    pub fn read() -> Numbers {
        let lines = include_str!("numbers.txt").lines();
        Numbers(lines.filter_map(row).collect())
    }

    /// The number as the kernel sees it, or nothing if the ABI lacks the call.
    pub fn of(&self, name: &str, abi: Abi) -> Option<u32> {
        let found = self
            .0
            .binary_search_by(|(other, _)| other.cmp(&name))
            .ok()?;
        let number = self.0.get(found)?.1[abi as usize]?;
        Some(match abi {
            Abi::X32 => number | X32_BIT,
            Abi::X86_64 | Abi::I386 => number,
        })
    }
}

fn row(line: &'static str) -> Option<Row> {
    let mut words = line.split(' ');
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    let mut number = || words.next()?.parse().ok();
    Some((name, [number(), number(), number()]))
}
