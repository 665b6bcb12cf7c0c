//! Lists of things: the default table, `--format`, `--quiet`. All `ls` commands print through here.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::cli::output::table::{align, one_line};
use crate::cli::output::template::{LABELS, Nil, Object, Shape, Template, Value, json_text};
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

/// The text of a field that is not known: null in JSON, `<nil>` in templates.
const NULL: &str = "\0";

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

    /// Sets a field that is not known.
    #[must_use]
    pub fn set_null(self, field: &'static str) -> Self {
        self.set(field, NULL)
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
        let cell = self.fields.get(field).map(String::as_str);
        cell.filter(|cell| *cell != NULL).unwrap_or_default()
    }

    /// What `{{json .}}` prints: the fields that the list names.
    pub fn json(&self, listing: &Listing) -> serde_json::Value {
        let mut fields: Vec<_> = listing.fields.iter().map(|(name, _)| *name).collect();
        fields.sort_unstable();
        let known = fields.iter().filter_map(|name| {
            let value = match self.fields.get(name)?.as_str() {
                NULL => serde_json::Value::Null,
                text => text.into(),
            };
            Some(((*name).to_owned(), value))
        });
        known.collect()
    }

    /// The data of templates; in tables no value may hold a tab or newline.
    fn data(&self, listing: &Listing, clean: impl Fn(&str) -> String) -> Value {
        let mut entries: Vec<(Rc<str>, Value)> = Vec::with_capacity(self.fields.len() + 1);
        for (name, value) in &self.fields {
            let value = match value.as_str() {
                NULL => Value::Nil(Nil::Pointer),
                text => Value::text(clean(text)),
            };
            entries.push((Rc::from(*name), value));
        }
        let labels = self.labels.iter();
        let labels = labels.map(|(key, value)| (Rc::from(key.as_str()), Value::text(clean(value))));
        let labels = Object {
            shape: Shape::Map,
            entries: labels.collect(),
        };
        entries.push((Rc::from(LABELS), Value::Object(Rc::new(labels))));
        let shape = Shape::Row(listing.type_name());
        Value::Object(Rc::new(Object { shape, entries }))
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

    /// The same without the line of headers.
    pub fn print_without_header(
        &self,
        format: Option<&str>,
        quiet: bool,
        rows: &[Row],
    ) -> Result<()> {
        let text = self.render(format, quiet, rows)?;
        let is_table = !quiet && format.is_none_or(|format| format.starts_with("table"));
        let text = match (is_table, text.split_once('\n')) {
            (true, Some((_, rows))) => rows,
            (true, None) => "",
            (false, _) => &text,
        };
        match text.is_empty() {
            true => Ok(()),
            false => line(text),
        }
    }

    /// The text, without a newline at its end; empty if there is nothing to print.
    pub fn render(&self, format: Option<&str>, quiet: bool, rows: &[Row]) -> Result<String> {
        if quiet {
            return Ok(joined(rows.iter().map(|row| one_line(row.cell(self.key)))));
        }
        let format = format.unwrap_or("table");
        if format == "table" || format.is_empty() {
            return Ok(self.default_table(rows));
        }
        if format == "json" {
            return Ok(joined(rows.iter().map(|row| json_text(&row.json(self)))));
        }
        if let Some(template) = format.strip_prefix("table") {
            return self.table(&unescape(template.trim_matches(' ')), rows);
        }
        let template = Template::parse_row(&unescape(format))?;
        let whole = template.is_whole_as_json();
        let lines = rows.iter().map(|row| match whole {
            true => Ok(json_text(&row.json(self))),
            false => template.render_row(&row.data(self, str::to_owned)),
        });
        Ok(joined(lines.collect::<Result<Vec<_>>>()?.into_iter()))
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
        let headers = headers.map(|(name, header)| (Rc::from(*name), Value::text(header)));
        let headers = Value::Object(Rc::new(Object {
            shape: Shape::Header,
            entries: headers.collect(),
        }));
        let template = Template::parse_row(template)?;
        let mut lines = vec![template.render_header(&headers)];
        for row in rows {
            lines.push(template.render_row(&row.data(self, one_line))?);
        }
        Ok(align(&lines.join("\n")))
    }

    /// What Docker calls the type of a row in its messages.
    fn type_name(&self) -> &'static str {
        let has = |name: &str| self.fields.iter().any(|(known, _)| *known == name);
        match () {
            () if has("RunningFor") => "*formatter.ContainerContext",
            () if has("Repository") => "*formatter.imageContext",
            () if has("Reclaimable") => "*formatter.diskUsageContext",
            () if has("CPUPerc") => "*container.statsContext",
            () if has("CreatedBy") => "*formatter.historyContext",
            () => "*formatter.Context",
        }
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
