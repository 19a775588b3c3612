//! Rows under headings, in columns as wide as they need to be.

use std::fmt::Write as _;

use super::style::{Paint, Role, harmless};

/// Every row has as many cells as there are headings.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]], paint: Paint) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| harmless(cell))).collect();
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        longest.max(headings[column].len())
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = String::new();
    let mut line = |cells: [&str; N], role: Role| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "{}", paint.show(role, padded.join("  ").trim_end()));
    };
    line(headings, Role::Heading);
    for row in &rows {
        line(row.each_ref().map(String::as_str), Role::Plain);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a".into(), "long cell".into()], ["longer".into(), "b\u{7}".into()]];
        assert_eq!(table(["X", "Y"], &rows, Paint::PLAIN), "X       Y\na       long cell\nlonger  b\\u{7}\n");
    }
}
