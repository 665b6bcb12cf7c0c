//! F14, F15: the power fails while a login is kept, and right after it was.

use std::path::PathBuf;

use serde_json::Value;

use super::Seed;
use super::disk::Disk;
use crate::bed::Bed;
use crate::process::run;
use crate::scripted::{Reply, Scripted};

root_and_user!(
    f14_a_power_cut_leaves_the_old_login_or_the_new_one,
    f15_a_login_that_succeeded_is_kept,
);

/// A registry that takes everybody, and a file of logins on the disk.
struct Kept<'a> {
    disk: Disk<'a>,
    server: Scripted,
    file: PathBuf,
}

impl<'a> Kept<'a> {
    fn new(bed: &'a Bed) -> Option<Kept<'a>> {
        let disk = Disk::new(bed, 32)?;
        let server = Scripted::start(|_| Reply::ok("{}"));
        let file = disk.path().join("auth.json");
        Some(Kept { disk, server, file })
    }

    fn host(&self) -> String {
        self.server.address.to_string()
    }

    fn words<'w>(&'w self, user: &'w str, host: &'w str) -> [&'w str; 9] {
        let file = self.file.to_str().expect("is text");
        [
            "login",
            "--tls-verify=false",
            "--authfile",
            file,
            "-u",
            user,
            "-p",
            "secret",
            host,
        ]
    }

    /// Who is logged in, by the whole file.
    fn user(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let document: Value = serde_json::from_str(&text).expect("the file is whole");
        let auth = document["auths"][self.host()]["auth"].as_str()?;
        let user = ["YTpzZWNyZXQ=", "YjpzZWNyZXQ="]
            .iter()
            .position(|known| *known == auth);
        Some(["a", "b"][user.expect("one of the two logins")].to_owned())
    }
}

fn f14_a_power_cut_leaves_the_old_login_or_the_new_one(bed: &Bed) {
    let Some(kept) = Kept::new(bed) else {
        return;
    };
    let (host, mut seed) = (kept.host(), Seed::new());
    let began = std::time::Instant::now();
    run(kept.disk.command(&kept.words("a", &host)), b"").fails(0);
    let untouched = began.elapsed();
    for point in 0..12 {
        let (old, new) = match point % 2 {
            0 => ("a", "b"),
            _ => ("b", "a"),
        };
        run(kept.disk.command(&kept.words(old, &host)), b"").fails(0);
        let fraction = (f64::from(point) + seed.below(1000) as f64 / 1000.0) / 10.0;
        let ran = kept
            .disk
            .cut_during(untouched.mul_f64(fraction), &kept.words(new, &host));
        let user = kept.user().expect("neither of them is lost");
        ran.expect(
            user == new || (user == old && ran.code != 0),
            "done is done",
        );
    }
}

fn f15_a_login_that_succeeded_is_kept(bed: &Bed) {
    let Some(kept) = Kept::new(bed) else {
        return;
    };
    let host = kept.host();
    for user in ["a", "b"] {
        run(kept.disk.command(&kept.words(user, &host)), b"").fails(0);
        kept.disk.cut();
        assert_eq!(kept.user().as_deref(), Some(user));
    }
    let file = kept.file.to_str().expect("is text");
    kept.disk
        .hull(&["logout", "--authfile", file, &host])
        .fails(0);
    kept.disk.cut();
    assert_eq!(kept.user(), None);
}
