//! Lists of things: the default table, `--format`, `--quiet`. All `ls` commands print through here.

use std::collections::BTreeMap;

use crate::cli::output::table::{align, one_line};
use crate::cli::output::template::{LABELS, Template, json_text};
use crate::cli::output::{escape, line, steers_terminal};
use crate::error::Result;

/// How one kind of thing is listed.
pub struct Listing {
    /// Field names and their headers; templates may use any of them.
    pub fields: &'static [(&'static str, &'static str)],
    /// The fields of the default table.
    pub columns: &'static [&'static str],
    /// The field that `--quiet` prints.
    pub key: &'static str,
}

/// One thing: its fields as text.
#[derive(Debug, Default, Clone)]
pub struct Row {
    fields: BTreeMap<&'static str, String>,
    labels: BTreeMap<String, String>,
}

impl Row {
    /// A row without fields.
    pub fn new() -> Self {
        Row::default()
    }

    /// Sets a field.
    #[must_use]
    pub fn set(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.insert(field, value.into());
        self
    }

    /// Sets the labels: the field `Labels` and what `.Label "key"` finds.
    #[must_use]
    pub fn labels(mut self, labels: BTreeMap<String, String>) -> Self {
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        self.fields.insert("Labels", pairs.join(","));
        self.labels = labels;
        self
    }

    /// The text of a field, empty if it is not set.
    pub fn cell(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .map(String::as_str)
            .unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        let fields = self.fields.iter();
        fields
            .map(|(name, value)| ((*name).to_owned(), serde_json::Value::from(value.as_str())))
            .collect()
    }

    /// The data of templates; in tables no value may hold a tab or newline.
    fn data(&self, clean: impl Fn(&str) -> String) -> serde_json::Value {
        let mut data = serde_json::Map::new();
        for (name, value) in &self.fields {
            data.insert((*name).to_owned(), clean(value).into());
        }
        let labels = self.labels.iter();
        let labels = labels.map(|(key, value)| (key.clone(), clean(value).into()));
        data.insert(
            LABELS.to_owned(),
            serde_json::Value::Object(labels.collect()),
        );
        data.into()
    }
}

impl Listing {
    /// Prints the rows as `--format` and `--quiet` ask.
    pub fn print(&self, format: Option<&str>, quiet: bool, rows: &[Row]) -> Result<()> {
        let text = self.render(format, quiet, rows)?;
        if text.is_empty() {
            return Ok(());
        }
        line(text)
    }

    /// What [`Listing::print`] prints, escaped.
    pub fn text(&self, format: Option<&str>, rows: &[Row]) -> Result<String> {
        Ok(escape(&self.render(format, false, rows)?).into_owned())
    }

    fn render(&self, format: Option<&str>, quiet: bool, rows: &[Row]) -> Result<String> {
        if quiet {
            return Ok(joined(rows.iter().map(|row| one_line(row.cell(self.key)))));
        }
        let format = format.unwrap_or("table");
        if format == "table" || format.is_empty() {
            return Ok(self.default_table(rows));
        }
        if format == "json" || format.trim() == "{{json .}}" {
            return Ok(joined(rows.iter().map(|row| json_text(&row.json()))));
        }
        match format.strip_prefix("table ") {
            Some(template) => self.table(&unescape(template.trim_start()), rows),
            None => {
                let template = Template::parse(&unescape(format))?;
                let lines = rows
                    .iter()
                    .map(|row| template.render(&row.data(str::to_owned)));
                Ok(joined(lines.collect::<Result<Vec<_>>>()?.into_iter()))
            }
        }
    }

    fn default_table(&self, rows: &[Row]) -> String {
        let header = self
            .columns
            .iter()
            .map(|column| self.header(column).to_owned());
        let mut text = header.collect::<Vec<_>>().join("\t");
        for row in rows {
            let cells = self.columns.iter().map(|column| one_line(row.cell(column)));
            text.push('\n');
            text.push_str(&cells.collect::<Vec<_>>().join("\t"));
        }
        align(&text)
    }

    fn table(&self, template: &str, rows: &[Row]) -> Result<String> {
        let headers = self.fields.iter();
        let headers = headers.map(|(name, header)| ((*name).to_owned(), (*header).into()));
        let headers = serde_json::Value::Object(headers.collect());
        let mut lines = vec![Template::parse_header(template)?.render(&headers)?];
        let template = Template::parse(template)?;
        for row in rows {
            lines.push(template.render(&row.data(one_line))?);
        }
        Ok(align(&lines.join("\n")))
    }

    fn header(&self, field: &str) -> &'static str {
        let found = self.fields.iter().find(|(name, _)| *name == field);
        found.map(|(_, header)| *header).unwrap_or_default()
    }
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// The two characters `\t` and `\n` stand for tab and newline in list formats.
fn unescape(format: &str) -> String {
    format.replace("\\t", "\t").replace("\\n", "\n")
}

/// At most this many columns; what is cut ends in `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept = text.chars().take(columns.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// In double quotes, as Go's `strconv.Quote`.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if steers_terminal(c) && c.is_ascii() => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c if steers_terminal(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const PS: Listing = Listing {
        fields: &[
            ("ID", "CONTAINER ID"),
            ("Names", "NAMES"),
            ("Labels", "LABELS"),
        ],
        columns: &["ID", "Names"],
        key: "ID",
    };

    fn rows() -> Vec<Row> {
        let labels = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let first = Row::new()
            .set("ID", "0123456789ab")
            .set("Names", "web")
            .labels(labels);
        vec![
            first,
            Row::new()
                .set("ID", "1")
                .set("Names", "a\tb")
                .set("Labels", ""),
        ]
    }

    #[test]
    fn formats_print_as_docker_does() {
        let table = [
            (
                None,
                "CONTAINER ID   NAMES\n0123456789ab   web\n1              a\\tb",
            ),
            (
                Some("table"),
                "CONTAINER ID   NAMES\n0123456789ab   web\n1              a\\tb",
            ),
            (
                Some("table {{.Names}}\\t{{.Label \"k\"}}"),
                "NAMES     k\nweb       v\na\\tb      ",
            ),
            (Some("table {{upper .Names}}"), "NAMES\nWEB\nA\\TB"),
            (Some("{{.ID}}\\t{{.Names}}"), "0123456789ab\tweb\n1\ta\tb"),
            (Some("x"), "x\nx"),
            (
                Some("json"),
                "{\"ID\":\"0123456789ab\",\"Labels\":\"k=v\",\"Names\":\"web\"}\n\
                 {\"ID\":\"1\",\"Labels\":\"\",\"Names\":\"a\\tb\"}",
            ),
            (
                Some("{{json .}}!"),
                "{\"ID\":\"0123456789ab\",\"Labels\":\"k=v\",\"Names\":\"web\"}!\n\
                 {\"ID\":\"1\",\"Labels\":\"\",\"Names\":\"a\\tb\"}!",
            ),
        ];
        for (format, expected) in table {
            let text = PS.render(format, false, &rows()).expect("is legal");
            assert_eq!(text, expected, "{format:?}");
        }
        let ids = PS
            .render(Some("{{.Names}}"), true, &rows())
            .expect("is legal");
        assert_eq!(ids, "0123456789ab\n1");
        assert_eq!(
            PS.render(None, false, &[]).expect("is legal"),
            "CONTAINER ID   NAMES"
        );
        assert_eq!(
            PS.render(Some("{{.ID}}"), false, &[]).expect("is legal"),
            ""
        );
        assert!(PS.render(Some("{{.Nope}}"), false, &rows()).is_err());
    }

    #[test]
    fn commands_are_cut_and_quoted() {
        let command = "/bin/sh -c 'echo \"hello\"'";
        assert_eq!(quote(&cut(command, 20)), "\"/bin/sh -c 'echo \\\"h…\"");
        assert_eq!(quote(&cut("true", 20)), "\"true\"");
        assert_eq!(quote("a\x1b\u{202e}\\\n"), "\"a\\x1b\\u202e\\\\\\n\"");
        assert_eq!(cut("äöüäöü", 6), "äöüäöü");
        assert_eq!(cut("äöüäöüa", 6), "äöüäö…");
    }
}
