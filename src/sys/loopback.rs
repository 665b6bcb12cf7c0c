//! The loopback interface of the current network namespace, netdevice(7).

use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::process::last_errno;

/// Brings `lo` up (`SIOCSIFFLAGS`); the kernel then gives it 127.0.0.1/8 and ::1/128 by itself.
///
/// # Errors
/// `EPERM` without `CAP_NET_ADMIN` in the network namespace's owner.
pub fn bring_up() -> Result<(), Errno> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
    let mut name = [0; libc::IFNAMSIZ];
    name[0] = b'l' as libc::c_char;
    name[1] = b'o' as libc::c_char;
    let up = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    let request = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: up },
    };
    // SAFETY: SIOCSIFFLAGS reads one ifreq whose flags member is set; it lives over the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}
