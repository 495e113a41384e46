//! Misspelt names: what a name that is not known was probably meant to be.

/// The known name that a misspelt one was probably meant to be; letters in the other case count as
/// right.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.is_empty() {
        return None;
    }
    let written = name.to_ascii_lowercase();
    let scored = known.into_iter().map(|candidate| {
        (
            distance(&written, &candidate.to_ascii_lowercase()),
            candidate,
        )
    });
    scored
        .min()
        .filter(|(distance, _)| *distance <= (name.len() / 3).max(1))
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown name: `; did you mean 'title'?`, or nothing.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known)
        .map(|near| format!("; did you mean '{near}'?"))
        .unwrap_or_default()
}

/// How many letters must be changed, added, removed or exchanged with their neighbour to make `b`
/// of `a`. Names are short; of longer ones only the beginning counts, so that the time is bounded.
fn distance(a: &str, b: &str) -> usize {
    const MAX_BYTES: usize = 100;
    let (a, b) = (
        &a.as_bytes()[..a.len().min(MAX_BYTES)],
        &b.as_bytes()[..b.len().min(MAX_BYTES)],
    );
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let changed = row[j] + usize::from(a[i] != b[j]);
            next[j + 1] = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                next[j + 1] = next[j + 1].min(above[j - 1] + 1);
            }
        }
        above = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_told_what_it_was_meant_to_be() {
        let known = ["filter", "sort", "fields", "unique"];
        for (name, expected) in [
            ("filtre", Some("filter")),
            ("Sort", Some("sort")),
            ("feilds", Some("fields")),
            ("uniqe", Some("unique")),
            ("srot", Some("sort")),
            ("sorted_by", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(hint("filtre", known), "; did you mean 'filter'?");
        assert_eq!(hint("colour", known), "");
    }
}
