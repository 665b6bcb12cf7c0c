//! Starting containers when the machine starts: one unit for all of a user's containers.
//!
//! Without a daemon something has to run at boot. The unit runs `hull system boot start`, which
//! starts what the restart policies ask for. Enabling it means a file and a link, the two things
//! that systemctl(1) enable would make, so that neither a running systemd nor its bus is needed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::config::{Environment, Settings};
use crate::error::{Context as _, Error, Result};

/// The unit's name, systemd.unit(5).
pub const UNIT: &str = "hull-boot.service";

/// Where the unit goes and who pulls it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory of units.
    directory: PathBuf,
    /// The target that is reached at boot, or when the user's manager starts.
    target: &'static str,
}

impl Place {
    /// The system's units for root, the user's own for others; below `directory` if one is given.
    pub fn of(settings: &Settings, directory: Option<&Path>) -> Result<Place> {
        let target = match settings.rootless {
            true => "default.target",
            false => "multi-user.target",
        };
        let directory = match (directory, settings.rootless) {
            (Some(directory), _) => directory.to_owned(),
            (None, false) => "/etc/systemd/system".into(),
            (None, true) => user_units()?,
        };
        Ok(Place { directory, target })
    }

    fn unit(&self) -> PathBuf {
        self.directory.join(UNIT)
    }

    fn link(&self) -> PathBuf {
        self.directory
            .join(format!("{}.wants", self.target))
            .join(UNIT)
    }

    /// Whether the unit is there and pulled in at boot.
    pub fn is_enabled(&self) -> bool {
        self.unit().exists() && fs::symlink_metadata(self.link()).is_ok()
    }

    /// Writes the unit and the link to it; an older unit of ours is replaced.
    pub fn enable(&self, settings: &Settings) -> Result<PathBuf> {
        let binary = std::env::current_exe().context(|| "find our own binary")?;
        let text = unit(&binary, settings, self.target)?;
        let (unit, link) = (self.unit(), self.link());
        let wants = link.parent().unwrap_or(&self.directory);
        fs::create_dir_all(wants).context(|| format!("make {}", wants.display()))?;
        let aside = unit.with_extension("service.new");
        let written = fs::write(&aside, text).and_then(|()| fs::rename(&aside, &unit));
        written.context(|| format!("write {}", unit.display()))?;
        match symlink(&unit, &link) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.context(|| format!("link {}", link.display()))?,
        }
        Ok(unit)
    }

    /// Removes both; what is gone already is fine.
    pub fn disable(&self) -> Result<()> {
        for path in [self.link(), self.unit()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).context(|| format!("remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn user_units() -> Result<PathBuf> {
    let env = Environment::of_process();
    let configuration = env.directory("XDG_CONFIG_HOME");
    let configuration = configuration.or_else(|| Some(env.home()?.join(".config")));
    let configuration =
        configuration.ok_or_else(|| Error::not_found("no home directory").hint("set HOME"))?;
    Ok(configuration.join("systemd/user"))
}

/// The unit's text, systemd.service(5).
fn unit(binary: &Path, settings: &Settings, target: &str) -> Result<String> {
    let (binary, root, run) = (
        plain(binary)?,
        plain(&settings.root)?,
        plain(&settings.run)?,
    );
    let network = match settings.rootless {
        true => "",
        false => "Wants=network-online.target\nAfter=network-online.target\n",
    };
    Ok(format!(
        "[Unit]\n\
         Description=Start the containers whose restart policy asks for it\n\
         Documentation=man:hull-system-boot(1)\n\
         RequiresMountsFor={root}\n\
         {network}\n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={binary} --root {root} --runroot {run} system boot start\n\
         \n\
         [Install]\n\
         WantedBy={target}\n"
    ))
}

/// A path that means nothing but itself in a unit: no specifier, quote, blank or separator.
fn plain(path: &Path) -> Result<&str> {
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b);
    let text = path.to_str().filter(|text| text.bytes().all(shape));
    text.ok_or_else(|| {
        Error::invalid(format!("{} cannot be written into a unit", path.display()))
            .hint("a path of letters, digits and /._-+@ can")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a95_only_plain_paths_get_into_a_unit() {
        for good in ["/usr/bin/hull", "/var/lib/hull-2.0+x"] {
            assert_eq!(plain(Path::new(good)).expect("is plain"), good);
        }
        for bad in [
            "/a b",
            "/a%h",
            "/a$b",
            "/a\nExecStart=x",
            "/a\"",
            "/a\\",
            "/a;b",
            "/ä",
        ] {
            assert!(plain(Path::new(bad)).is_err(), "{bad:?}");
        }
    }
}
