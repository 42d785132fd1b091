//! What is taken from a folder, and what is reported about the rest.

use std::fs;
use std::process::Command;

use crate::command::{AVIF, HEIC, assert_tells, encoded, names, run, scratch};

#[test]
fn every_picture_of_a_folder_that_can_be_decoded_is_read_whatever_it_is_called() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    let folder = scratch("kinds");
    let files = [
        ("a.jfif", Jpeg),
        ("b.jpe", Jpeg),
        ("c.JPEG", Jpeg),
        ("d.tif", Tiff),
        ("e.TIFF", Tiff),
        ("f.webp", WebP),
        ("g.bmp", Bmp),
        ("h.gif", Gif),
        ("i.ppm", Pnm),
        ("j", Png),
        ("k.png", Jpeg),
        ("l.heic", Jpeg),
        ("m.txt", Png),
    ];
    for (name, format) in files {
        fs::write(folder.join(name), encoded(format)).expect("a file");
    }
    fs::create_dir(folder.join("n.jpg")).expect("a folder that is called like a picture");
    fs::write(folder.join("n.jpg/inside.png"), encoded(Png)).expect("a file");
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    let mut expected = files.map(|(name, _)| name.to_owned()).to_vec();
    expected.push("inside.png".to_owned());
    assert_eq!(names(&output), expected);
    assert_tells(&output, &[], &folder);
}

#[test]
fn what_a_folder_holds_besides_is_told_with_how_many() {
    let folder = scratch("besides");
    for (name, bytes) in [
        ("IMG_1.HEIC", HEIC),
        ("IMG_2.jpg", HEIC),
        ("a.avif", AVIF),
        ("b.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("notes.txt", b"P1 said yes"),
        ("people.csv", b"BMI,age\n20,30\n"),
        (".DS_Store", b"\0\0\0\x01Bud1"),
        ("clip.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2"),
    ] {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    fs::create_dir(folder.join(".thumbnails")).expect("a folder");
    fs::write(folder.join(".thumbnails/t.png"), encoded(image::ImageFormat::Png)).expect("a file");
    fs::write(folder.join("good.png"), encoded(image::ImageFormat::Png)).expect("a file");
    let output = run(&[], &[&folder]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(&output), ["good.png"]);
    assert_tells(
        &output,
        &[
            "left out 1 AVIF picture, a kind that is not supported: FOLDER/a.avif",
            "left out 2 HEIC pictures, a kind that is not supported: FOLDER/IMG_1.HEIC, FOLDER/IMG_2.jpg",
            "left out 1 SVG picture, a kind that is not supported: FOLDER/b.svg",
            "left out 3 files that are no pictures: FOLDER/clip.mp4, FOLDER/notes.txt, FOLDER/people.csv",
            "left out 2 that are hidden: FOLDER/.DS_Store, FOLDER/.thumbnails",
        ],
        &folder,
    );
}

#[test]
fn where_nothing_was_read_at_all_it_fails() {
    let folder = scratch("nothing");
    let output = run(&[], &[&folder]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_tells(&output, &["there is no picture to read"], &folder);

    for name in 1..=7 {
        fs::write(folder.join(format!("{name}.heic")), HEIC).expect("a file");
    }
    let output = run(&[], &[&folder]);
    assert_eq!(output.status.code(), Some(1));
    let (first, more) =
        ("left out 7 HEIC pictures, a kind that is not supported: FOLDER/1.heic, ", " and 2 more");
    assert_tells(&output, &[first, "there is no picture to read"], &folder);
    assert!(String::from_utf8_lossy(&output.stderr).contains(more), "{output:?}");
}

#[test]
fn links_are_followed_once_and_a_pipe_is_not_waited_for() {
    let folder = scratch("links");
    let inner = folder.join("inner");
    fs::create_dir(&inner).expect("a folder");
    fs::write(inner.join("a.png"), encoded(image::ImageFormat::Png)).expect("a file");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.join(name)).expect("a link");
    link("..", "inner/up");
    link("inner/a.png", "b.png");
    link("nowhere", "c");
    let made = Command::new("mkfifo").arg(folder.join("d.jpg")).status().expect("mkfifo runs");
    assert!(made.success());
    let output = run(&[], &[&folder]);
    assert_eq!(output.status.code(), Some(1), "a link leads nowhere");
    assert_eq!(names(&output), ["b.png", "a.png"]);
    let (nowhere, pipe) =
        ("FOLDER/c: cannot be opened", "left out 1 that is neither file nor folder: FOLDER/d.jpg");
    assert_tells(&output, &[nowhere, pipe], &folder);
    let output = run(&[], &[&folder.join("d.jpg")]);
    assert_tells(&output, &["FOLDER/d.jpg: is neither file nor folder"], &folder);

    let output = run(&[], &[&inner.join("a.png"), &inner, &inner]);
    assert_eq!(
        names(&output),
        ["a.png", "a.png", "b.png", "a.png", "b.png"],
        "what is named twice is read twice"
    );
}
