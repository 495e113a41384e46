//! Code in tokens, as far as paths and imports need it.

/// Whether a token is a name or a keyword.
pub fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens of code that matter here: names, `::` and single signs, without comments and literals.
pub fn tokens(code: &str) -> Vec<String> {
    let chars: Vec<char> = code.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '/' if next == Some('/') => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            'r' | 'b' if raw_string_end(&chars, at).is_some() => {
                at = raw_string_end(&chars, at).unwrap_or(at + 1);
            }
            '"' => at = string_end(&chars, at),
            '\'' => {
                // A character, or a lifetime.
                let is_char = next == Some('\\') || chars.get(at + 2) == Some(&'\'');
                at = if is_char {
                    char_end(&chars, at)
                } else {
                    at + 1
                };
            }
            ':' if next == Some(':') => {
                tokens.push("::".to_owned());
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let start = at;
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_alphanumeric() || *c == '_')
                {
                    at += 1;
                }
                tokens.push(chars[start..at].iter().collect());
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn char_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '\'' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The end of a raw string or byte string that begins here.
fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    if start > 0 && (chars[start - 1].is_alphanumeric() || chars[start - 1] == '_') {
        return None;
    }
    let mut at = start;
    if chars.get(at) == Some(&'b') {
        at += 1;
        if chars.get(at) == Some(&'"') {
            return Some(string_end(chars, at));
        }
    }
    if chars.get(at) != Some(&'r') {
        return None;
    }
    at += 1;
    let first = at;
    while chars.get(at) == Some(&'#') {
        at += 1;
    }
    let hashes = at - first;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        if chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take_while(|c| **c == '#')
                .take(hashes)
                .count()
                == hashes
        {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(at)
}
