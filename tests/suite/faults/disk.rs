//! A small disk of its own: an ext4 file system in a file, whose power can be cut.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::must;
use crate::bed::{Bed, skip};
use crate::process::{Ran, run, start, wait_until};

/// Mounted until it is dropped.
pub struct Disk<'a> {
    bed: &'a Bed,
    file: PathBuf,
    mount: PathBuf,
}

impl<'a> Disk<'a> {
    /// Makes and mounts one, or says `SKIP` if this cannot be done here.
    pub fn new(bed: &'a Bed, mebibytes: u64) -> Option<Disk<'a>> {
        if !rustix::process::geteuid().is_root() {
            skip("mounting a disk needs root");
            return None;
        }
        for program in ["/usr/sbin/mkfs.ext4", "/usr/bin/python3"] {
            if !Path::new(program).exists() {
                skip(&format!("no {program}"));
                return None;
            }
        }
        let disk = Disk {
            bed,
            file: bed.dir.join("disk"),
            mount: bed.dir.join("mnt"),
        };
        std::fs::create_dir(&disk.mount).expect("mount point");
        let file = std::fs::File::create(&disk.file).expect("disk");
        file.set_len(mebibytes << 20).expect("disk");
        drop(file);
        let path = disk.file.display().to_string();
        must("/usr/sbin/mkfs.ext4", &["-q", "-F", "-m", "0", &path]);
        disk.mount();
        bed.give(&disk.mount);
        Some(disk)
    }

    pub fn store(&self) -> PathBuf {
        self.mount.join("store")
    }

    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// The file that the disk is in.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// `hull words…` with the store on this disk.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.bed.command(crate::bed::binary());
        command.arg("--root").arg(self.store());
        command.arg("--runroot").arg(self.bed.run_dir());
        command.args(words);
        command
    }

    /// Runs `hull words…` to its end.
    #[track_caller]
    pub fn hull(&self, words: &[&str]) -> Ran {
        run(self.command(words), b"")
    }

    /// Runs `hull words…` and cuts the power after `delay`; then it is switched on again.
    #[track_caller]
    pub fn cut_during(&self, delay: Duration, words: &[&str]) -> Ran {
        let cutter = self.cutter(delay);
        let mut command = self.command(words);
        command.stdin(Stdio::null());
        let ran = start(command).finish();
        self.restart(cutter);
        ran
    }

    /// Cuts the power now and switches it on again.
    pub fn cut(&self) {
        self.restart(self.cutter(Duration::ZERO));
    }

    /// Has everything reach the disk.
    pub fn sync(&self) {
        must("/bin/sync", &["-f", &self.mount.display().to_string()]);
    }

    /// Mounts it anew, so that an error of its file system is forgotten.
    pub fn replug(&self) {
        self.unmount();
        self.mount();
    }

    /// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: from then on nothing reaches the
    /// disk, not even the journal. It says when it is ready, so that its own start costs nothing.
    fn cutter(&self, delay: Duration) -> Child {
        let program = "import fcntl,os,struct,sys,time\n\
                       fd = os.open(sys.argv[1], os.O_RDONLY)\n\
                       print('ready', flush=True)\n\
                       time.sleep(float(sys.argv[2]))\n\
                       fcntl.ioctl(fd, 0x8004587D, struct.pack('I', 2))\n";
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", program]).arg(&self.mount);
        command.arg(delay.as_secs_f64().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut cutter = command.spawn().expect("python3 starts");
        let mut ready = [0; 6];
        let output = cutter.stdout.as_mut().expect("is piped");
        std::io::Read::read_exact(output, &mut ready).expect("python3 runs");
        cutter
    }

    fn restart(&self, mut cutter: Child) {
        let status = cutter.wait().expect("is our child");
        assert!(status.success(), "the power cannot be cut: {status}");
        self.unmount();
        self.mount();
    }

    fn mount(&self) {
        let (file, mount) = (self.file.display(), self.mount.display());
        // ext4 writes its journal every 5 s by itself, which would keep what was never synced.
        let options = "loop,commit=600";
        must(
            "/bin/mount",
            &["-o", options, &file.to_string(), &mount.to_string()],
        );
    }

    fn unmount(&self) {
        // A container's monitor that was just told to end may hold it for a moment.
        wait_until("the disk is unmounted", || {
            let status = Command::new("/bin/umount")
                .arg(&self.mount)
                .stderr(Stdio::null())
                .status();
            status.expect("umount starts").success()
        });
        // A process that was just getting a mount namespace has a copy of the mount for a moment,
        // and mounting again would find the file system that is shut down.
        wait_until("nobody has the disk", || {
            let devices = std::fs::read_dir("/sys/block")
                .into_iter()
                .flatten()
                .flatten();
            let mut files = devices
                .filter_map(|it| std::fs::read_to_string(it.path().join("loop/backing_file")).ok());
            files.all(|file| Path::new(file.trim_end()) != self.file)
        });
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // What was removed may still be being deleted.
            return self.unmount();
        }
        let mut command = Command::new("/bin/umount");
        // An error shows as a leaked mount.
        let _ = command.arg("-l").arg(&self.mount).status();
    }
}
