//! stand-in
pub static INIT_PROGRAM: &[u8] = &[];
