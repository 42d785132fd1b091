//! `cargo xtask size`: what a browser loads, raw and as the relay sends it.

use std::fs;

use anyhow::Context as _;

use crate::{finish, page, tools, workspace};

/// As the relay's build compresses large files; the best quality takes minutes and saves a tenth more.
const QUALITY: u32 = 9;
const WINDOW_BITS: u32 = 24;

pub(crate) fn show() -> anyhow::Result<()> {
    page::build(&tools::ensure(tools::PAGE)?)?;
    println!("{:<64} {:>12} {:>12}", "file", "raw", "brotli");
    let mut total = (0, 0);
    for path in finish::files(&workspace::dist())? {
        let bytes = fs::read(workspace::dist().join(&path))?;
        let compressed = compressed_len(&bytes).with_context(|| format!("could not compress {path}"))?;
        println!("{path:<64} {:>12} {:>12}", grouped(bytes.len()), grouped(compressed));
        total = (total.0 + bytes.len(), total.1 + compressed);
    }
    println!("{:<64} {:>12} {:>12}", "all", grouped(total.0), grouped(total.1));
    Ok(())
}

fn compressed_len(mut bytes: &[u8]) -> std::io::Result<usize> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, QUALITY, WINDOW_BITS);
    std::io::copy(&mut bytes, &mut writer)?;
    Ok(writer.into_inner().len())
}

/// 1234567 as 1 234 567.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
