//! The program of the hello image: says what just happened and what to try next.

use crate::kernel::{self, Word};

const TEXT: &[u8] = b"
Hello from a hull container.

What just happened:
  1. hull unpacked this image from its own binary: nothing was downloaded.
  2. It made a container: its own mounts, processes, network, IPC and host name,
     few capabilities and a seccomp filter.
  3. This program ran in it as the only process it can see, and ends now.
  No daemon was asked, and none is left running.

What to try next:
  hull run -it alpine            a shell in another distribution
  hull load -i image.tar         an image that docker save or podman save wrote
  hull ps -a                     what ran here
  hull --help                    everything else

";

/// Prints the text; the exit code is the program's.
pub fn greet() -> Word {
    let mut rest = TEXT;
    while !rest.is_empty() {
        match kernel::write(1, rest) {
            0 => return 1,
            written => rest = rest.get(written..).unwrap_or(b""),
        }
    }
    0
}
