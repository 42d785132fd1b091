//! Cells of a CSV. Text is quoted and numbers are not: a file may be called `007` or `null`, and a reader that respects
//! quotes can tell the difference. Text that a spreadsheet would take for a formula, whether quoted or not, is prefixed
//! with `'`.

/// What a formula begins with, and what spreadsheets skip on the way to it, as OWASP lists them under *CSV Injection*;
/// and the quote mark itself, so that removing one mark always gives back the original text.
const DEFUSED: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''];

pub(crate) fn quoted(text: &str) -> String {
    let mark = if text.starts_with(DEFUSED) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// The text of a cell whose quotes a reader has removed.
pub(crate) fn unmarked(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// Empty where there is nothing.
pub(crate) fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

pub(crate) fn append(record: &mut Vec<u8>, cells: &[String]) {
    record.extend_from_slice(cells.join(",").as_bytes());
    record.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_name_is_a_formula_and_each_reads_back() {
        for (name, cell) in [
            ("=1+1.png", "'=1+1.png"),
            ("+1.png", "'+1.png"),
            ("-1.png", "'-1.png"),
            ("@SUM(A1).png", "'@SUM(A1).png"),
            ("\t=1.png", "'\t=1.png"),
            ("\r=1.png", "'\r=1.png"),
            ("＝1.png", "'＝1.png"),
            ("'=1.png", "''=1.png"),
            ("a=1.png", "a=1.png"),
        ] {
            assert_eq!(quoted(name), format!("\"{cell}\""));
            assert_eq!(unmarked(cell), name);
        }
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
    }
}
