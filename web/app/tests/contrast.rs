//! The colours of the page have enough contrast with their background, in both schemes.

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("../styles/tokens.css");
/// The least contrast of text, and of lines and areas.
const TEXT: f64 = 4.5;
const LINES: f64 = 3.0;

/// Each colour token that is written in hexadecimal, in the light scheme and in the dark one.
fn schemes() -> [BTreeMap<&'static str, [f64; 3]>; 2] {
    let (light, dark) = TOKENS.split_once("prefers-color-scheme: dark").expect("two schemes");
    let read = |css: &'static str| {
        css.split(';').filter_map(|rule| {
            let (name, hex) = rule.split_once(": #")?;
            Some((name.rsplit("--").next()?, color(hex)))
        })
    };
    let light: BTreeMap<_, _> = read(light).collect();
    // What the dark scheme does not set is as in the light one.
    let mut both = light.clone();
    both.extend(read(dark));
    [light, both]
}

/// Red, green, blue, 0 … 1.
fn color(hex: &str) -> [f64; 3] {
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("a colour")) / 255.0)
}

/// The ratio that WCAG 2 defines.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |color: [f64; 3]| {
        let [red, green, blue] =
            color.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

#[test]
fn text_lines_and_abstentions_stand_out_from_their_background() {
    let inks = [("text", TEXT), ("muted", TEXT), ("control", LINES), ("unsure", LINES)];
    for tokens in schemes() {
        for (ink, least) in inks {
            for background in ["bg", "surface", "sunken"] {
                let found = contrast(tokens[ink], tokens[background]);
                assert!(found >= least, "{ink} on {background}: {found:.2}");
            }
        }
        let greys = contrast(tokens["unsure"], tokens["neutral"]);
        assert!(greys >= 1.5, "an abstention looks neutral: {greys:.2}");
    }
}

/// The line is drawn in the colour of text, with a border in that of the surface.
#[test]
fn the_line_for_valence_stands_out_from_every_area_of_the_chart() {
    let areas =
        ["neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "unsure", "surface"];
    for tokens in schemes() {
        let line = contrast(tokens["text"], tokens["surface"]);
        assert!(line >= TEXT, "the line has no border: {line:.2}");
        for area in areas {
            let found = contrast(tokens["text"], tokens[area]).max(contrast(tokens["surface"], tokens[area]));
            assert!(found >= LINES, "on {area}: {found:.2}");
        }
    }
}

#[test]
fn text_and_focus_on_the_stage_stand_out_whatever_the_picture_shows() {
    let (_, veil) = TOKENS.split_once("--veil: rgb(").expect("the background of text on the picture");
    let (veil, _) = veil.split_once(')').expect("its end");
    let numbers: Vec<f64> = veil.split([' ', '/']).filter_map(|part| part.parse().ok()).collect();
    let [red, green, blue, alpha] = numbers[..] else { panic!("four numbers, not {veil}") };
    let [tokens, _] = schemes();
    for picture in [0.0, 1.0] {
        let background = [red, green, blue].map(|part| part / 255.0 * alpha + picture * (1.0 - alpha));
        for (ink, least) in [("on-stage", TEXT), ("on-stage-muted", TEXT), ("on-stage-accent", LINES)] {
            let found = contrast(tokens[ink], background);
            assert!(found >= least, "{ink} over {picture}: {found:.2}");
        }
    }
}
