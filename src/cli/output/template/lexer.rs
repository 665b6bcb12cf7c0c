//! Template text → tokens, as Go's text/template cuts it, with Go's words for what is wrong.

/// What a token is. Its text is kept beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Open,
    Close,
    Space,
    /// `.name`
    Field,
    /// `$name`
    Variable,
    Dot,
    /// A word that is no keyword: a function.
    Word,
    /// `if`, `end`, `nil`, …
    Keyword,
    Bool,
    Number,
    Character,
    Quoted,
    Raw,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Pipe,
    LeftParen,
    RightParen,
    /// Any other printable character.
    Other,
    /// The text is what is wrong.
    Error,
    End,
}

/// A piece of the template.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    /// Byte offset.
    pub at: usize,
    pub line: usize,
}

const KEYWORDS: [&str; 12] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template",
    "with", "",
];

/// All tokens; the last is `End`, or an `Error` behind which nothing was read.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        source,
        at: 0,
        line: 1,
        depth: 0,
        tokens: Vec::new(),
    };
    if let Err(message) = lexer.text() {
        lexer.tokens.push(Token {
            kind: Kind::Error,
            text: message,
            at: lexer.at,
            line: lexer.line,
        });
    }
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    /// Open parentheses.
    depth: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn first(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Makes a token of the next `length` bytes.
    fn take(&mut self, kind: Kind, length: usize) {
        let text = self.rest()[..length].to_owned();
        let token = Token {
            kind,
            at: self.at,
            line: self.line,
            text,
        };
        self.skip(length);
        self.tokens.push(token);
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest()[..length].matches('\n').count();
        self.at += length;
    }

    fn text(&mut self) -> Result<(), String> {
        loop {
            let Some(found) = self.rest().find("{{") else {
                let all = self.rest().len();
                if all > 0 {
                    self.take(Kind::Text, all);
                }
                self.take(Kind::End, 0);
                return Ok(());
            };
            let trims = is_trim(&self.rest()[found + 2..], true);
            let kept = match trims {
                true => self.rest()[..found].trim_end_matches(is_space).len(),
                false => found,
            };
            if kept > 0 {
                self.take(Kind::Text, kept);
            }
            self.skip(found - kept);
            let marker = if trims { 2 } else { 0 };
            if self.rest()[2 + marker..].starts_with("/*") {
                self.skip(2 + marker);
                self.comment()?;
                continue;
            }
            self.take(Kind::Open, 2);
            self.skip(marker);
            self.depth = 0;
            self.action()?;
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let Some(end) = self.rest().find("*/") else {
            return Err("unclosed comment".to_owned());
        };
        let after = &self.rest()[end + 2..];
        let trims = is_trim(after, false) && after[2..].starts_with("}}");
        if !trims && !after.starts_with("}}") {
            return Err("comment ends before closing delimiter".to_owned());
        }
        self.skip(end + 2 + if trims { 4 } else { 2 });
        if trims {
            self.skip_space();
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches(is_space).len();
        self.skip(blanks);
    }

    fn action(&mut self) -> Result<(), String> {
        loop {
            let trims = is_trim(self.rest(), false) && self.rest()[2..].starts_with("}}");
            if trims || self.rest().starts_with("}}") {
                if self.depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.skip(if trims { 2 } else { 0 });
                self.take(Kind::Close, 2);
                if trims {
                    self.skip_space();
                }
                return Ok(());
            }
            self.item()?;
        }
    }

    fn item(&mut self) -> Result<(), String> {
        let Some(first) = self.first() else {
            return Err("unclosed action".to_owned());
        };
        let second = self.rest()[first.len_utf8()..].chars().next();
        match first {
            c if is_space(c) => {
                let rest = self.rest();
                let mut length = rest.len() - rest.trim_start_matches(is_space).len();
                // The blank of a closing ` -}}` belongs to it.
                if rest[length..].starts_with("-}}") {
                    length -= 1;
                }
                match length {
                    // Only that blank: `action` takes it.
                    0 => self.skip(0),
                    _ => self.take(Kind::Space, length),
                }
            }
            '=' => self.take(Kind::Assign, 1),
            ':' if second == Some('=') => self.take(Kind::Declare, 2),
            ':' => return Err("expected :=".to_owned()),
            '|' => self.take(Kind::Pipe, 1),
            '(' => {
                self.depth += 1;
                self.take(Kind::LeftParen, 1);
            }
            ')' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| "unexpected right paren".to_owned())?;
                self.take(Kind::RightParen, 1);
            }
            '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::Character, "unterminated character constant")?,
            '`' => match self.rest()[1..].find('`') {
                Some(end) => self.take(Kind::Raw, end + 2),
                None => return Err("unterminated raw quoted string".to_owned()),
            },
            '$' => self.name(Kind::Variable)?,
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => self.name(Kind::Field)?,
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            c if is_word(c) => self.word()?,
            c if c.is_ascii_graphic() => self.take(Kind::Other, 1),
            c => {
                let code = u32::from(c);
                return Err(format!(
                    "unrecognized character in action: U+{code:04X} '{c}'"
                ));
            }
        }
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    self.take(kind, at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(unterminated.to_owned())
    }

    /// `.name` or `$name`; a lone `.` is the dot.
    fn name(&mut self, kind: Kind) -> Result<(), String> {
        let rest = &self.rest()[1..];
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        self.ends(1 + length)?;
        match (kind, length) {
            (Kind::Field, 0) => self.take(Kind::Dot, 1),
            _ => self.take(kind, 1 + length),
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        self.ends(length)?;
        let word = &self.rest()[..length];
        let kind = match word {
            "true" | "false" => Kind::Bool,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Word,
        };
        self.take(kind, length);
        Ok(())
    }

    /// What follows a name must end it.
    fn ends(&self, length: usize) -> Result<(), String> {
        let after = &self.rest()[length..];
        match after.chars().next() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(c) if is_space(c) => Ok(()),
            _ if after.starts_with("}}") => Ok(()),
            Some(c) => Err(format!("bad character U+{:04X} '{c}'", u32::from(c))),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let unsigned = rest.trim_start_matches(['+', '-']);
        let hex = unsigned.starts_with("0x") || unsigned.starts_with("0X");
        let mut last = ' ';
        let mut length = 0;
        for c in rest.chars() {
            let exponent = matches!(last, 'e' | 'E' if !hex) || matches!(last, 'p' | 'P');
            let sign = matches!(c, '+' | '-') && (length == 0 || exponent);
            if !sign && c != '.' && !is_word(c) {
                break;
            }
            last = c;
            length += c.len_utf8();
        }
        let text = &rest[..length];
        if super::value::parse_number(text).is_none() {
            return Err(format!("bad number syntax: {text:?}"));
        }
        self.take(Kind::Number, length);
        Ok(())
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// `- ` behind an opening delimiter, ` -` before a closing one.
fn is_trim(text: &str, opening: bool) -> bool {
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    let (dash, blank) = if opening {
        (first, second)
    } else {
        (second, first)
    };
    dash == Some('-') && blank.is_some_and(is_space)
}
