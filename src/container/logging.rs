//! Where a container's output goes: the choice at create, and the log that its monitor opens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::{ByteSize, ContainerId, Timestamp};
use crate::config::LogDefaults;
use crate::error::{Context as _, Error, Result};
use crate::logs::{FileLog, Format, JOURNAL_SOCKET, Journal, Layout, Rotation, WhenBusy, Writer};
use crate::state::{Config, LogConfig, Records};

/// The driver with which a container writes to the caller's own streams.
pub const PASSTHROUGH: &str = "passthrough";

/// Options that every driver takes.
const COMMON: [&str; 2] = ["mode", "max-buffer-size"];
const FILES: [&str; 3] = ["max-size", "max-file", "compress"];
const DETAILS: [&str; 3] = ["labels", "env", "tag"];

/// The tag of a journal entry unless told otherwise, Docker's.
const JOURNAL_TAG: &str = "{{.ID}}";

/// How logs of the driver `local` are kept, Docker's defaults.
const LOCAL_BYTES: u64 = 20 << 20;
const LOCAL_FILES: u32 = 5;

/// The options of a driver beyond the common ones; `None` if there is no such driver.
fn options_of(driver: &str) -> Option<Vec<&'static str>> {
    Some(match driver {
        "json-file" => [&FILES[..], &DETAILS].concat(),
        "k8s-file" => [&["path"], &FILES[..], &DETAILS].concat(),
        "local" => FILES.to_vec(),
        "journald" => DETAILS.to_vec(),
        PASSTHROUGH => Vec::new(),
        _ => return None,
    })
}

/// Decides where output goes: what was asked for, else the settings.
///
/// # Errors
/// `Invalid` in Docker's words for drivers and options that do not exist, `Unsupported` for
/// journald where there is no journal.
pub(super) fn settle(
    defaults: &LogDefaults,
    driver: Option<&str>,
    given: &BTreeMap<String, String>,
) -> Result<LogConfig> {
    let driver = driver.filter(|name| !name.is_empty());
    let driver = driver.unwrap_or(&defaults.driver);
    // Options of the settings are meant for the driver of the settings, as Docker has it.
    let mut options = match driver == defaults.driver {
        true => defaults.options.clone(),
        false => BTreeMap::new(),
    };
    options.extend(given.clone());
    let mut log = LogConfig {
        driver: driver.to_owned(),
        max_bytes: None,
        max_files: 1,
        compress: false,
        options,
    };
    if driver == "none" {
        return Ok(log);
    }
    check(&log)?;
    let (bytes, files) = match driver {
        "local" => (Some(LOCAL_BYTES), LOCAL_FILES),
        _ => {
            let own = LogDefaults::default();
            (own.max_size, own.max_file)
        }
    };
    log.max_bytes = max_bytes(&log)?.or(bytes);
    log.max_files = max_files(&log)?.unwrap_or(files);
    log.compress = compress(&log)?;
    Ok(log)
}

/// Refuses what Docker's daemon would refuse, in its words.
fn check(log: &LogConfig) -> Result<()> {
    let option = |name: &str| log.options.get(name);
    match option("mode").map(String::as_str) {
        None | Some("" | "blocking" | "non-blocking") => {}
        Some(other) => {
            let why = format!("logger: logging mode not supported: {other}");
            return Err(Error::invalid(why));
        }
    }
    if let Some(size) = option("max-buffer-size") {
        if option("mode").map(String::as_str) != Some("non-blocking") {
            return Err(Error::invalid(
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
            ));
        }
        let parsed = size.parse::<ByteSize>();
        parsed.context(|| "error parsing option max-buffer-size")?;
    }
    let driver = &log.driver;
    let known = options_of(driver).ok_or_else(|| {
        let why = format!("logger: no log driver named '{driver}' is registered");
        Error::invalid(why).hint("use json-file, k8s-file, local, journald, passthrough or none")
    })?;
    for name in log.options.keys() {
        if !known.contains(&name.as_str()) && !COMMON.contains(&name.as_str()) {
            let why = format!("unknown log opt '{name}' for {driver} log driver");
            return Err(Error::invalid(why));
        }
    }
    if let Some(path) = option("path")
        && (!Path::new(path).is_absolute() || path.ends_with('/'))
    {
        return Err(Error::invalid(format!(
            "invalid log opt path={path}: must be the absolute path of a file"
        )));
    }
    if let Some(tag) = option("tag") {
        parse_tag(tag)?;
    }
    if driver == "journald" && !Path::new(JOURNAL_SOCKET).exists() {
        return Err(Error::unsupported("journald is not enabled on this host")
            .hint("choose another driver, e.g. --log-driver json-file"));
    }
    Ok(())
}

fn max_bytes(log: &LogConfig) -> Result<Option<u64>> {
    match log.options.get("max-size").map(String::as_str) {
        None => Ok(None),
        // podman's word for a file that is never rotated.
        Some("-1") => Ok(Some(u64::MAX)),
        Some(text) => match text.parse::<ByteSize>().context(|| "max-size")?.0 {
            0 => Err(Error::invalid("max-size must be a positive number")),
            bytes => Ok(Some(bytes)),
        },
    }
}

fn max_files(log: &LogConfig) -> Result<Option<u32>> {
    let Some(text) = log.options.get("max-file") else {
        return Ok(None);
    };
    let refuse = |_| Error::invalid(format!("invalid max-file {text:?}: must be a number"));
    match text.parse::<i64>().map_err(refuse)? {
        ..1 => Err(Error::invalid("max-file cannot be less than 1")),
        count => Ok(Some(u32::try_from(count).unwrap_or(u32::MAX))),
    }
}

fn compress(log: &LogConfig) -> Result<bool> {
    let on = match log.options.get("compress").map(String::as_str) {
        None => log.driver == "local" && log.max_files > 1,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
        Some(other) => {
            let why = format!("invalid compress {other:?}: must be true or false");
            return Err(Error::invalid(why));
        }
    };
    if on && (log.max_files < 2 || log.max_bytes == Some(u64::MAX)) {
        return Err(Error::invalid(
            "compress cannot be true when max-file is less than 2 or max-size is not set",
        ));
    }
    Ok(on)
}

/// The files of a log: their directory, name and format.
#[derive(Debug, Clone)]
pub struct LogPlace {
    pub directory: PathBuf,
    pub name: String,
    pub format: Format,
}

/// Where the files of this container's log are, if it has files.
pub fn log_place(records: &Records, id: &ContainerId, log: &LogConfig) -> Option<LogPlace> {
    let (name, format) = match log.driver.as_str() {
        "json-file" => (format!("{id}-json.log"), Format::Json),
        "local" => ("container.log".to_owned(), Format::Json),
        "k8s-file" => ("ctr.log".to_owned(), Format::Cri),
        _ => return None,
    };
    if let Some(path) = log.options.get("path").map(Path::new)
        && let (Some(directory), Some(name)) = (path.parent(), path.file_name())
    {
        return Some(LogPlace {
            directory: directory.to_owned(),
            name: name.to_string_lossy().into_owned(),
            format,
        });
    }
    Some(LogPlace {
        directory: records.directory(id).join("log"),
        name,
        format,
    })
}

/// Opens the log of a container that is being started; `None` for a driver that keeps nothing.
pub(super) fn open(records: &Records, id: &ContainerId, log: &LogConfig) -> Result<Option<Writer>> {
    if log.driver == "journald" {
        return journal(records, id, log).map(Some);
    }
    let Some(place) = log_place(records, id, log) else {
        return Ok(None);
    };
    let attributes = match wants_details(log) {
        true => serde_json::to_string(&log_attributes(records, id)?)?,
        false => String::new(),
    };
    let layout = Layout {
        format: place.format,
        rotation: Rotation {
            max_bytes: log.max_bytes.unwrap_or(u64::MAX),
            max_files: log.max_files.max(1),
        },
        compress: log.compress,
        attributes: Some(attributes)
            .filter(|attributes| attributes != "{}")
            .unwrap_or_default(),
    };
    let files = FileLog::open(&place.directory, &place.name, layout)?;
    Ok(Some(Writer::Files(Box::new(files))))
}

/// Whether the log can be kept where the user wants it: told before the program runs. In the
/// container's own directory there is nothing to find out.
pub(super) fn check_place(records: &Records, config: &Config) -> Result<()> {
    let elsewhere = config.log.driver == "journald" || config.log.options.contains_key("path");
    match elsewhere {
        true => open(records, &config.id, &config.log).map(drop),
        false => Ok(()),
    }
}

fn wants_details(log: &LogConfig) -> bool {
    DETAILS.iter().any(|name| log.options.contains_key(*name))
}

/// Labels, variables and tag that were chosen to stand beside each record.
pub fn log_attributes(records: &Records, id: &ContainerId) -> Result<BTreeMap<String, String>> {
    let config = records.config(id)?;
    let mut attributes = chosen(&config);
    if config.log.driver != "journald"
        && let Some(tag) = config.log.options.get("tag").filter(|tag| !tag.is_empty())
    {
        attributes.insert("tag".to_owned(), render_tag(tag, &config, records)?);
    }
    Ok(attributes)
}

fn chosen(config: &Config) -> BTreeMap<String, String> {
    let names = |option: &str| -> Vec<&str> {
        let list = config.log.options.get(option);
        list.map(|list| list.split(',').collect())
            .unwrap_or_default()
    };
    let labels = names("labels");
    let labels = config
        .labels
        .iter()
        .filter(|(name, _)| labels.contains(&name.as_str()));
    let variables = names("env");
    let variables = config.process.env.iter().filter_map(|entry| {
        let (name, value) = entry.split_once('=')?;
        variables
            .contains(&name)
            .then(|| (name.to_owned(), value.to_owned()))
    });
    labels
        .map(|(name, value)| (name.clone(), value.clone()))
        .chain(variables)
        .collect()
}

fn journal(records: &Records, id: &ContainerId, log: &LogConfig) -> Result<Writer> {
    let config = records.config(id)?;
    let tag = log.options.get("tag").filter(|tag| !tag.is_empty());
    let tag = tag.map_or(JOURNAL_TAG, String::as_str);
    let tag = render_tag(tag, &config, records)?;
    let name = records.record(id)?.state.name.to_string();
    let mut fields = vec![
        ("CONTAINER_ID".to_owned(), id.short()),
        ("CONTAINER_ID_FULL".to_owned(), id.to_string()),
        ("CONTAINER_NAME".to_owned(), name),
        ("CONTAINER_TAG".to_owned(), tag.clone()),
        ("IMAGE_NAME".to_owned(), config.image_name.clone()),
        ("SYSLOG_IDENTIFIER".to_owned(), tag),
    ];
    let attributes = chosen(&config).into_iter();
    fields.extend(attributes.map(|(name, value)| (field_name(&name), value)));
    fields.retain(|(name, _)| !name.is_empty());
    let when_busy = match log.options.get("mode").map(String::as_str) {
        Some("non-blocking") => WhenBusy::Drop,
        _ => WhenBusy::Wait,
    };
    let run = format!("{}-{}", id.short(), Timestamp::now().unix_seconds());
    let journal = Journal::open(Path::new(JOURNAL_SOCKET), &run, &fields, when_busy)?;
    Ok(Writer::Journal(Box::new(journal)))
}

/// A name the journal takes: upper case, digits and underscores, none of these in front.
fn field_name(name: &str) -> String {
    let upper = name.chars().map(|c| match c.to_ascii_uppercase() {
        c @ ('A'..='Z' | '0'..='9') => c,
        _ => '_',
    });
    let upper: String = upper.collect();
    upper.trim_start_matches('_').to_owned()
}

fn parse_tag(template: &str) -> Result<gotmpl::Template> {
    gotmpl::Template::new("log-tag")
        .parse(template)
        .map_err(|error| Error::invalid(format!("invalid log opt tag={template}: {error}")))
}

fn render_tag(template: &str, config: &Config, records: &Records) -> Result<String> {
    let template = parse_tag(template)?;
    let name = records.record(&config.id)?.state.name.to_string();
    let image = config.image.to_string();
    let hex = config.image.hex();
    let values = [
        ("ID", config.id.short()),
        ("FullID", config.id.to_string()),
        ("Name", name.clone()),
        ("ImageID", hex.chars().take(12).collect()),
        ("ImageFullID", image.clone()),
        ("ImageName", config.image_name.clone()),
        ("Command", config.process.arguments().join(" ")),
        ("DaemonName", "hull".to_owned()),
        ("ContainerID", config.id.to_string()),
        ("ContainerName", format!("/{name}")),
        ("ContainerImageID", image),
        ("ContainerImageName", config.image_name.clone()),
    ];
    let values = values
        .into_iter()
        .map(|(name, value)| (name.into(), gotmpl::Value::from(value)));
    let data = gotmpl::Value::Map(std::sync::Arc::new(values.collect()));
    template
        .execute_to_string(&data)
        .map_err(|error| Error::invalid(format!("log opt tag: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Options<'a> = &'a [(&'a str, &'a str)];

    fn settled(driver: &str, options: Options<'_>) -> Result<LogConfig> {
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settle(&LogDefaults::default(), Some(driver), &options.collect())
    }

    #[test]
    fn options_are_refused_in_the_words_of_docker() {
        let table: [(&str, Options<'_>, &str); 9] = [
            (
                "json-file",
                &[("x", "")],
                "unknown log opt 'x' for json-file log driver",
            ),
            (
                "local",
                &[("tag", "x")],
                "unknown log opt 'tag' for local log driver",
            ),
            (
                "loki",
                &[],
                "logger: no log driver named 'loki' is registered",
            ),
            (
                "json-file",
                &[("mode", "x")],
                "logger: logging mode not supported: x",
            ),
            (
                "json-file",
                &[("max-buffer-size", "1m")],
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
            ),
            (
                "json-file",
                &[("max-file", "0")],
                "max-file cannot be less than 1",
            ),
            (
                "json-file",
                &[("max-size", "0")],
                "max-size must be a positive number",
            ),
            (
                "json-file",
                &[("compress", "true"), ("max-file", "1")],
                "compress cannot be true when max-file is less than 2 or max-size is not set",
            ),
            (
                "k8s-file",
                &[("path", "x")],
                "invalid log opt path=x: must be the absolute path",
            ),
        ];
        for (driver, options, words) in table {
            let error = settled(driver, options).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn logs_rotate_unless_told_otherwise() {
        for (driver, bytes, files) in [("json-file", 16 << 20, 4), ("local", 20 << 20, 5)] {
            let log = settled(driver, &[]).expect("is valid");
            assert_eq!(
                (log.max_bytes, log.max_files),
                (Some(bytes), files),
                "{driver}"
            );
            assert_eq!(log.compress, driver == "local");
        }
        let never = settled("k8s-file", &[("max-size", "-1")]).expect("is valid");
        assert_eq!(never.max_bytes, Some(u64::MAX));
        settled("none", &[("whatever", "x")]).expect("none takes everything, as in Docker");
    }

    #[test]
    fn options_of_the_settings_are_for_their_driver() {
        let defaults = LogDefaults {
            options: [("max-size".to_owned(), "1m".to_owned())].into(),
            ..LogDefaults::default()
        };
        let given = [("max-file".to_owned(), "2".to_owned())].into();
        let log = settle(&defaults, None, &given).expect("is valid");
        assert_eq!((log.max_bytes, log.max_files), (Some(1 << 20), 2));
        assert_eq!(log.options.len(), 2);
        let log = settle(&defaults, Some("k8s-file"), &given).expect("is valid");
        assert_eq!((log.max_bytes, log.max_files), (Some(16 << 20), 2));
    }

    #[test]
    fn names_of_fields_are_what_the_journal_takes() {
        assert_eq!(field_name("com.example.A-b1"), "COM_EXAMPLE_A_B1");
        assert_eq!(field_name("_a"), "A");
        assert_eq!(field_name("."), "");
    }
}
