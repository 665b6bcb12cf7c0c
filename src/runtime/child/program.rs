//! The last steps: capabilities, finding the program, running the init that becomes it.

use std::ffi::CStr;
use std::os::fd::AsFd as _;

use rustix::fs::{Access, AtFlags, CWD, FileType};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::Slots;
use crate::init_program::{CONTROL_FD, Control, REPORT_FD};
use crate::runtime::plan::Slot;
use crate::sys::process::{self, ExecArray};

/// The highest capability number we try; the kernel says where its own list ends.
const MOST_CAPABILITIES: u32 = 63;

/// Removes every capability but `keep` from the bounding set, capabilities(7).
pub fn drop_bounding(keep: u64) -> Result<(), Errno> {
    for number in 0..=MOST_CAPABILITIES {
        if keep & 1 << number != 0 {
            continue;
        }
        match process::drop_bounding_capability(number) {
            Err(Errno::INVAL) => break,
            other => other?,
        }
    }
    Ok(())
}

/// Sets all the process's capability sets.
pub fn set_capabilities(
    effective: u64,
    permitted: u64,
    inheritable: u64,
    ambient: u64,
) -> Result<(), Errno> {
    let sets = CapabilitySets {
        effective: CapabilitySet::from_bits_retain(effective),
        permitted: CapabilitySet::from_bits_retain(permitted),
        inheritable: CapabilitySet::from_bits_retain(inheritable),
    };
    rustix::thread::set_capabilities(None, sets)?;
    rustix::thread::clear_ambient_capability_set()?;
    for number in (0..=MOST_CAPABILITIES).filter(|number| ambient & 1 << number != 0) {
        process::raise_ambient_capability(number)?;
    }
    Ok(())
}

/// The first candidate that can be run; `EACCES` if one was there but could not.
pub fn find<S: AsRef<CStr>>(candidates: &[S]) -> Result<&CStr, Errno> {
    let mut error = Errno::NOENT;
    for candidate in candidates {
        let candidate = candidate.as_ref();
        let Ok(stat) = rustix::fs::statat(CWD, candidate, AtFlags::empty()) else {
            continue;
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            match rustix::fs::accessat(CWD, candidate, Access::EXEC_OK, AtFlags::empty()) {
                Ok(()) => return Ok(candidate),
                Err(errno) => error = errno,
            }
        } else {
            error = Errno::ACCESS;
        }
    }
    Err(error)
}

/// Waits until somebody connects to the gate and says go; reports go there from then on.
pub fn await_gate(slots: &mut Slots) -> Result<(), Errno> {
    let gate = slots.get(Slot::Gate)?;
    let flags = rustix::net::SocketFlags::CLOEXEC;
    loop {
        let starter = match rustix::net::accept_with(gate, flags) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        // Somebody who only looked whether we listen closes again without a word.
        if crate::runtime::sync::await_byte(starter.as_fd(), crate::runtime::sync::GO).is_ok() {
            slots.keep(Slot::Report, starter);
            return Ok(());
        }
    }
}

/// Becomes the small init, which becomes the program. Returns only on failure.
pub fn run_init(
    slots: &Slots,
    program: &CStr,
    reaper: bool,
    arguments: &ExecArray<'_>,
    environment: &ExecArray<'_>,
) -> Result<(), Errno> {
    let (read_side, write_side) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let control = Control {
        path: program,
        stays_as_init: reaper,
        report_fd: Some(REPORT_FD as u32),
        third_fd: None,
    };
    let (header, length) = control.header();
    rustix::io::write(&write_side, &header[..length])?;
    let path = program.to_bytes_with_nul();
    if rustix::io::write(&write_side, path)? != path.len() {
        return Err(Errno::NAMETOOLONG);
    }
    drop(write_side);
    // Should: mark everything first, then open exactly the two the init reads.
    crate::sys::descriptor::close_on_exec_from(3)?;
    process::place_descriptor(read_side.as_fd(), CONTROL_FD)?;
    process::place_descriptor(slots.get(Slot::Report)?, REPORT_FD)?;
    Err(process::exec_descriptor(
        slots.get(Slot::Init)?,
        arguments,
        environment,
    ))
}
