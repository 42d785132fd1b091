//! What is a film, judged by its first bytes. None is decoded here: who names one is told how to make pictures of it.

/// Signatures at some offset, of files in which films come.
const FILMS: [(usize, &[u8]); 14] = [
    // MP4 and QuickTime; pictures in the same container are told apart before.
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    // WebM and Matroska.
    (0, b"\x1A\x45\xDF\xA3"),
    (8, b"AVI "),
    // MPEG program and video streams.
    (0, b"\0\0\x01\xBA"),
    (0, b"\0\0\x01\xB3"),
    // H.264 and H.265 without a container.
    (0, b"\0\0\0\x01"),
    (0, b"FLV\x01"),
    (0, b"OggS"),
    // ASF: wmv.
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11"),
    (0, b"YUV4MPEG2 "),
    (0, b".RMF"),
];

/// Whether a file that begins like this is a film. Ask only of what is no picture.
pub fn is_film(beginning: &[u8]) -> bool {
    FILMS.iter().any(|(at, mark)| beginning.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::is_film;

    #[test]
    fn films_are_told_from_what_is_none() {
        for film in [
            &b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2"[..],
            b"\0\0\0\x14ftypqt  ",
            b"\x1A\x45\xDF\xA3\x9FB\x86\x81",
            b"RIFF\x10\0\0\0AVI LIST",
            b"OggS\0\x02",
        ] {
            assert!(is_film(film), "{film:?}");
        }
        for other in [&b""[..], b"RIFF\x10\0\0\0WAVEfmt ", b"people,age\n", b"\0\0"] {
            assert!(!is_film(other), "{other:?}");
        }
    }
}
