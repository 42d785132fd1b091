//! How many pictures a second `mien-analyze` reads with one job and with two, and what memory it holds on the way:
//! `cargo xtask bench analyze`. Prints figures and asserts nothing: a busy machine must not fail a build.
//!
//! The pictures are photographs of 640×480 as JPEG: a ring of a few, each many times under names of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clap::Parser;
use image::imageops::FilterType;
use image::{DynamicImage, Rgb, RgbImage};

#[derive(Parser)]
struct Options {
    /// The `mien-analyze` to measure.
    program: PathBuf,
    /// Pictures in a run that is timed.
    #[arg(long, default_value_t = 300)]
    pictures: usize,
    /// How often one and two jobs take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Pictures in the run whose memory is looked at; 0 for no such run.
    #[arg(long, default_value_t = 10_000)]
    memory: usize,
}

/// How many pictures it may take until memory is what it will be.
const WARM: usize = 500;
/// Before the end, so that the process is still there.
const MARGIN: usize = 40;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let options = Options::parse();
    let place = std::env::temp_dir().join(format!("mien-throughput-{}", std::process::id()));
    let outcome = measure(&options, &place);
    fs::remove_dir_all(&place)?;
    outcome
}

fn measure(options: &Options, place: &Path) -> Outcome<()> {
    let folder = place.join("pictures");
    fill(&folder, options.pictures)?;
    println!("load {}", fs::read_to_string("/proc/loadavg")?.trim());
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds {
        for (jobs, rates) in (1..).zip(&mut rates) {
            let start = Instant::now();
            let lines = lines(start_on(&options.program, &folder, jobs)?)?;
            rates.push(lines as f64 / start.elapsed().as_secs_f64());
        }
    }
    let [one, two] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        println!("{rates:.1?} pictures a second");
        rates[rates.len() / 2]
    });
    println!("one job {one:.1}, two jobs {two:.1} pictures a second: {:.2} times as many", two / one);
    println!("load {}", fs::read_to_string("/proc/loadavg")?.trim());
    if options.memory > WARM + MARGIN {
        fs::remove_dir_all(&folder)?;
        fill(&folder, options.memory)?;
        let mut child = start_on(&options.program, &folder, 2)?;
        let mut results = BufReader::new(child.stdout.take().ok_or("no results")?).lines();
        let mut after = |more: usize| -> Outcome<f64> {
            results.nth(more - 1).ok_or("it ended early")??;
            resident(&child)
        };
        let early = after(WARM)?;
        let late = after(options.memory - WARM - MARGIN)?;
        let change = (late / early - 1.0) * 100.0;
        println!(
            "memory {early:.1} MB after {WARM} pictures, {late:.1} MB after {}: {change:+.1} %",
            options.memory - MARGIN
        );
        results.for_each(drop);
        child.wait()?;
    }
    Ok(())
}

fn start_on(program: &Path, folder: &Path, jobs: usize) -> Outcome<Child> {
    let mut command = Command::new(program);
    command.args(["--quiet", "--jobs", &jobs.to_string()]).arg(folder).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

fn lines(mut child: Child) -> Outcome<usize> {
    let lines = BufReader::new(child.stdout.take().ok_or("no results")?).lines().count();
    if child.wait()?.success() { Ok(lines) } else { Err("mien-analyze failed".into()) }
}

/// In megabytes.
fn resident(child: &Child) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no size")?;
    Ok(size.trim().trim_end_matches(" kB").parse::<f64>()? / 1_000.0)
}

fn fill(folder: &Path, count: usize) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    let ring = ring()?;
    for number in 0..count {
        let path = folder.join(format!("{number:06}.jpg"));
        match ring.get(number) {
            Some(picture) => picture.save(path)?,
            None => fs::hard_link(folder.join(format!("{:06}.jpg", number % ring.len())), path)?,
        }
    }
    Ok(())
}

/// Two portraits, in four sizes each.
fn ring() -> Outcome<Vec<RgbImage>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let portraits =
        [image::open(fixtures.join("astronaut.png"))?, image::open(fixtures.join("grace_hopper.jpg"))?];
    let sized = |portrait: &DynamicImage, height| {
        let portrait = portrait.resize(height, height, FilterType::Triangle).into_rgb8();
        let mut picture = RgbImage::from_fn(640, 480, |x, y| Rgb([(x / 3) as u8, (y / 2) as u8, 118]));
        image::imageops::replace(&mut picture, &portrait, i64::from(640 - height) / 2, 0);
        picture
    };
    Ok(portraits
        .iter()
        .flat_map(|portrait| [480, 400, 320, 240].map(|height| sized(portrait, height)))
        .collect())
}
