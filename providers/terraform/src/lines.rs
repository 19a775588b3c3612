//! Lines of what a plugin writes, each bounded however much it writes.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Reads line by line. What goes beyond the limit of a line is read and dropped.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    /// In bytes.
    limit: usize,
}

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What is no UTF-8 is replaced.
    pub(crate) text: String,
    /// It was longer than the limit.
    pub(crate) cut: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self { reader: BufReader::new(reader), limit }
    }

    /// The next line, `None` at the end. A last line needs no end.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub(crate) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut seen = false;
        let mut cut = false;
        loop {
            let buffer = self.reader.fill_buf().await?;
            if buffer.is_empty() {
                return Ok(seen.then(|| finish(&line, cut)));
            }
            seen = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = self.limit.saturating_sub(line.len());
            cut |= part.len() > room;
            line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(finish(&line, cut)));
            }
        }
    }

    /// What is left to be read, as it comes.
    pub(crate) fn into_inner(self) -> BufReader<R> {
        self.reader
    }
}

fn finish(line: &[u8], cut: bool) -> Line {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Line { text: String::from_utf8_lossy(line).into_owned(), cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &[u8], limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(text, limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.expect("memory") {
            all.push(line);
        }
        all
    }

    fn line(text: &str, cut: bool) -> Line {
        Line { text: text.into(), cut }
    }

    #[tokio::test]
    async fn each_line_comes_once_and_the_last_needs_no_end() {
        let lines = all(b"one\r\n\ntwo", 100).await;
        assert_eq!(lines, [line("one", false), line("", false), line("two", false)]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; 100_000];
        text.extend_from_slice(b"\nnext\n");
        assert_eq!(all(&text, 5).await, [line("xxxxx", true), line("next", false)]);
    }
}
