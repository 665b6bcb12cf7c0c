//! Tests by golden file: what a pure function makes of an input is compared with a committed file,
//! so that a change of behaviour shows as a difference that somebody reads.
//!
//! `HULL_GOLDEN=renew cargo test --bin hull golden` writes the files anew; run it twice, since the
//! plans are made of the specs that the first run compiled in.

use std::path::Path;

/// Compares `made` with `kept`, the content of tests/golden/`name`.
#[track_caller]
pub fn check(name: &str, kept: &str, made: &str) {
    if std::env::var_os("HULL_GOLDEN").is_some_and(|value| value == "renew") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.join("tests/golden").join(name);
        std::fs::write(&path, made).expect("golden files are writable");
        return;
    }
    let pairs = kept.lines().zip(made.lines());
    let different = pairs.clone().position(|(kept, made)| kept != made);
    let number = different.unwrap_or_else(|| pairs.count());
    assert!(
        kept == made,
        "tests/golden/{name}, line {}:\n  kept {:?}\n  made {:?}\n\
         if that is right: HULL_GOLDEN=renew cargo test --bin hull golden, and review the diff",
        number + 1,
        kept.lines().nth(number),
        made.lines().nth(number),
    );
}
