//! Frames from a pipe.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::process::{Command, Stdio};

use image::imageops::FilterType;
use image::{ImageFormat, RgbImage};
use mien_servers::missing;
use mien_shared::Expression;

use crate::command::{command, fixtures, piped, reports, run, scratch, summary};

fn astronaut() -> RgbImage {
    let astronaut = image::open(fixtures().join("astronaut.png")).expect("a fixture");
    astronaut.resize(256, 256, FilterType::Triangle).into_rgb8()
}

/// As ffmpeg writes one.
fn frame(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    if format == ImageFormat::Pnm {
        let header = format!("P6\n{} {}\n255\n", picture.width(), picture.height());
        return [header.as_bytes(), picture.as_raw()].concat();
    }
    let mut frame = Cursor::new(Vec::new());
    picture.write_to(&mut frame, format).expect("a picture");
    frame.into_inner()
}

#[test]
fn frames_have_numbers_and_times_and_read_as_the_same_pictures_do() {
    let (astronaut, nobody) = (astronaut(), RgbImage::new(64, 48));
    for (format, file) in [(ImageFormat::Pnm, "a.ppm"), (ImageFormat::Jpeg, "a.jpg")] {
        let file = scratch(&format!("stream-{file}")).join(file);
        fs::write(&file, frame(&astronaut, format)).expect("a file");
        let still = &reports(&run(&[], &[&file]))[0].faces[0];
        let stream = [frame(&nobody, format), frame(&astronaut, format), frame(&nobody, format)].concat();
        let output = piped(&["--fps", "30000/1001", "--name", "clip.mp4"], &stream);
        assert!(output.status.success(), "{output:?}");
        let reports = reports(&output);
        let places: Vec<_> = reports.iter().map(|report| (report.frame, report.media_ms)).collect();
        assert_eq!(places, [(Some(0), Some(0)), (Some(1), Some(33)), (Some(2), Some(67))]);
        assert!(reports.iter().all(|report| report.file.as_os_str() == "clip.mp4"));
        let [face] = &reports[1].faces[..] else { panic!("one face: {output:?}") };
        assert_eq!(face, still);
        assert!(reports[0].faces.is_empty() && reports[2].faces.is_empty());
        assert!(summary(&output).starts_with("3 of 3 frames in "), "{output:?}");
    }
}

#[test]
fn without_a_rate_frames_have_no_times() {
    let stream = frame(&RgbImage::new(8, 8), ImageFormat::Pnm).repeat(2);
    let output = piped(&[], &stream);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text,
        "{\"file\":\"<stdin>\",\"frame\":0,\"faces\":[]}\n{\"file\":\"<stdin>\",\"frame\":1,\"faces\":[]}\n"
    );
    let output = piped(&["--format", "csv", "--fps", "4"], &stream);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.lines().nth(2).is_some_and(|row| row.starts_with("\"<stdin>\",") && row.ends_with(",1,250")),
        "{text}"
    );
}

#[test]
fn a_followed_face_keeps_its_number_and_a_new_one_gets_another() {
    let astronaut = astronaut();
    let mut left = RgbImage::from_pixel(640, 256, image::Rgb([118; 3]));
    let mut both = left.clone();
    image::imageops::replace(&mut left, &astronaut, 0, 0);
    image::imageops::replace(&mut both, &astronaut, 0, 0);
    image::imageops::replace(&mut both, &astronaut, 384, 0);
    let stream: Vec<u8> =
        [&left, &left, &both, &both].into_iter().flat_map(|it| frame(it, ImageFormat::Pnm)).collect();
    let ids = |output| -> Vec<Vec<u32>> {
        reports(output).iter().map(|report| report.faces.iter().map(|face| face.id).collect()).collect()
    };
    assert_eq!(ids(&piped(&["--fps", "10", "--track"], &stream)), [&[1][..], &[1], &[1, 2], &[1, 2]]);
    let table = piped(&["--fps", "10", "--track", "--format", "fex"], &stream);
    let mut rows = csv::Reader::from_reader(&table.stdout[..]);
    let rows: Vec<_> = rows.records().map(|row| row.expect("a row")).collect();
    let people: Vec<_> = rows.iter().map(|row| (&row[15], &row[16], &row[17])).collect();
    assert_eq!(people[2..4], [("2", "200", "Person_1"), ("2", "200", "Person_2")]);
    assert!(
        rows.iter().all(|row| row[4].parse::<f32>().is_ok_and(|score| score > 0.5)),
        "the detector's score"
    );
}

#[test]
fn a_frame_that_is_no_good_is_told_and_the_rest_is_read() {
    let good = frame(&RgbImage::new(16, 12), ImageFormat::Jpeg);
    // Its segments are whole, and it has no pixels.
    let empty = b"\xFF\xD8\xFF\xD9";
    let garbled = b"\xFF\xD8\xFF\xE1\0\0x";
    let stream = [&good[..], empty, garbled, &good, &good[..good.len() / 2]].concat();
    let output = piped(&[], &stream);
    assert_eq!(output.status.code(), Some(1));
    let frames: Vec<_> = reports(&output).into_iter().map(|report| report.frame).collect();
    assert_eq!(frames, [Some(0), Some(3)]);
    let told = String::from_utf8_lossy(&output.stderr);
    for expected in
        ["<stdin>: frame 1: is ", "<stdin>: frame 2: is damaged", "<stdin>: frame 4: ends too early"]
    {
        assert!(told.contains(expected), "{expected} is not in {told}");
    }
    assert!(summary(&output).contains("3 errors"), "{told}");
}

#[test]
fn what_is_no_stream_of_pictures_is_told_with_what_to_do() {
    let film = fs::read(fixtures().join("film.webm")).expect("a fixture");
    for (stream, why) in [
        (&film[..], "frame 0: is a film: ffmpeg makes pictures of it"),
        (b"file,age\n", "frame 0: is neither PPM nor JPEG"),
        (b"", "there is no picture to read"),
        (b"P6\n100000 100000\n255\n", "frame 0: is too large: 100000×100000"),
    ] {
        let output = piped(&[], stream);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
    }
    let output = run(&[], &[&fixtures().join("film.webm")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("film.webm: is a film: ffmpeg"), "{output:?}");
}

/// Results come while the stream goes on, and a reader that leaves ends it all.
#[test]
fn a_stream_that_never_ends_is_answered_frame_by_frame() {
    let mut child = command()
        .args(["--jobs", "2", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut input, mut results) =
        (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let one = frame(&RgbImage::new(16, 12), ImageFormat::Pnm);
    for _ in 0..3 {
        input.write_all(&one).expect("it reads");
        let mut begun = [0; 8];
        results.read_exact(&mut begun).expect("an answer before the next frame");
        while begun[0] != b'\n' {
            results.read_exact(&mut begun[..1]).expect("the rest of it");
        }
    }
    drop(results);
    // Two are in work when it notices.
    while input.write_all(&one).is_ok() {}
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// As the documentation says; the film shows a face from 2 s to 4 s and from 7 s to 9 s.
#[test]
fn a_film_is_read_through_ffmpeg() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        return missing::skip("ffmpeg is missing");
    }
    for codec in [&["-c:v", "ppm"][..], &["-c:v", "mjpeg", "-q:v", "2"]] {
        let mut ffmpeg = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(fixtures().join("film.webm"))
            .args(["-vf", "fps=2", "-f", "image2pipe"])
            .args(codec)
            .arg("-")
            .stdout(Stdio::piped())
            .spawn()
            .expect("ffmpeg starts");
        let output = command()
            .args(["--fps", "2", "--track", "-"])
            .stdin(ffmpeg.stdout.take().expect("a pipe"))
            .output()
            .expect("it runs");
        assert!(ffmpeg.wait().expect("it ends").success());
        assert!(output.status.success(), "{output:?}");
        let reports = reports(&output);
        assert_eq!(reports.len(), 20);
        for report in reports {
            let ms = report.media_ms.expect("a time");
            // ffmpeg takes the frame that is nearest, so within half of the time between two.
            let (shown, close) = (
                (2_000..4_000).contains(&ms) || (7_000..9_000).contains(&ms),
                [2_000, 4_000, 7_000, 9_000].iter().any(|edge| ms.abs_diff(*edge) < 250),
            );
            assert!(close || report.faces.len() == usize::from(shown), "{ms}: {:?}", report.faces);
            assert!(report.faces.iter().all(|face| face.expression == Some(Expression::Happiness)), "{ms}");
        }
    }
}
