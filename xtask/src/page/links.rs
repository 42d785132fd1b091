//! What `index.html` tells Trunk: its `<link data-trunk>` elements, and the two patterns of `Trunk.toml`.
//!
//! Only what our page uses is supported, and everything else is refused: the page that `cargo xtask run` builds and the
//! one that `trunk serve` shows come from the same two files.

use anyhow::{Context as _, bail};

/// A link, with its text in the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A crate that is compiled for the browser.
    Rust { manifest: &'a str, role: Role },
    /// A file that the page itself loads.
    Loaded { file: &'a str, rel: &'static str },
    /// A file that lies beside the page.
    Copied { file: &'a str, folder: Option<&'a str> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What the page starts.
    Main,
    /// What the page's code starts.
    Worker,
}

const START: &str = "<link data-trunk ";

pub(super) fn links(html: &str) -> anyhow::Result<Vec<Link<'_>>> {
    html.match_indices(START)
        .map(|(start, _)| {
            let end = html[start..].find('>').context("a link of index.html does not end")?;
            let text = &html[start..=start + end];
            let kind = kind(&text[START.len()..text.len() - 1]).with_context(|| format!("in {text}"))?;
            Ok(Link { text, kind })
        })
        .collect()
}

fn kind(attributes: &str) -> anyhow::Result<Kind<'_>> {
    let mut attributes = Attributes::parse(attributes)?;
    let href = attributes.take("href").context("no href")?;
    let kind = match attributes.take("rel").context("no rel")? {
        "rust" => {
            // `cargo xtask run` always does this.
            attributes.expect("data-cargo-profile", "release")?;
            attributes.expect("data-wasm-opt", "0")?;
            let role = match attributes.take("data-type").context("no data-type")? {
                "main" => Role::Main,
                "worker" => {
                    attributes.expect("data-bindgen-target", "web")?;
                    Role::Worker
                }
                other => bail!("data-type is {other}"),
            };
            Kind::Rust { manifest: href, role }
        }
        "css" => Kind::Loaded { file: href, rel: "stylesheet" },
        "icon" => {
            attributes.expect("type", "image/svg+xml")?;
            Kind::Loaded { file: href, rel: "icon" }
        }
        "copy-file" => Kind::Copied { file: href, folder: attributes.take("data-target-path") },
        other => bail!("rel is {other}"),
    };
    attributes.finish()?;
    Ok(kind)
}

/// `name="value"`, each name once.
struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    fn parse(mut text: &'a str) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        while !text.trim().is_empty() {
            let (name, rest) = text.split_once("=\"").context("an attribute has no value in quotes")?;
            let (value, rest) = rest.split_once('"').context("a value does not end")?;
            found.push((name.trim(), value));
            text = rest;
        }
        Ok(Self(found))
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let place = self.0.iter().position(|(found, _)| *found == name)?;
        Some(self.0.swap_remove(place).1)
    }

    fn expect(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        match self.take(name) {
            Some(found) if found == value => Ok(()),
            found => bail!("{name} is {found:?}, and not {value}"),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self.0.first() {
            Some((name, _)) => bail!("{name} is not understood"),
            None => Ok(()),
        }
    }
}

/// A multi-line string in `Trunk.toml`, with `{js}` and `{wasm}` replaced by these names.
pub(super) fn pattern(settings: &str, name: &str, js: &str, wasm: &str) -> anyhow::Result<String> {
    let start = format!("{name} = \"\"\"\n");
    let text = settings.split_once(&start).and_then(|(_, rest)| Some(rest.split_once("\"\"\"")?.0));
    let text = text.with_context(|| format!("Trunk.toml has no {name}"))?;
    Ok(text.replace("{js}", js).replace("{wasm}", wasm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn each_kind_of_link_is_read() {
        let html = r#"<link data-trunk rel="icon" href="a/i.svg" type="image/svg+xml">
            <link rel="other" href="x"><link data-trunk rel="css" href="a/b.css">
            <link data-trunk rel="rust" data-type="worker" data-cargo-profile="release" data-bindgen-target="web" data-wasm-opt="0" href="w/Cargo.toml">
            <link data-trunk rel="copy-file" href="m/n.onnx" data-target-path="models">"#;
        let kinds: Vec<Kind<'_>> = links(html).unwrap().into_iter().map(|link| link.kind).collect();
        let expected = [
            Kind::Loaded { file: "a/i.svg", rel: "icon" },
            Kind::Loaded { file: "a/b.css", rel: "stylesheet" },
            Kind::Rust { manifest: "w/Cargo.toml", role: Role::Worker },
            Kind::Copied { file: "m/n.onnx", folder: Some("models") },
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn what_trunk_would_do_otherwise_is_refused() {
        for link in [
            r#"<link data-trunk rel="sass" href="a.scss">"#,
            r#"<link data-trunk rel="css" href="a.css" data-inline="true">"#,
            r#"<link data-trunk rel="css">"#,
            r#"<link data-trunk rel="rust" data-type="main" data-cargo-profile="release" data-wasm-opt="z" href="a">"#,
            r#"<link data-trunk rel="css" href="a.css" data-no-minify>"#,
            r#"<link data-trunk rel="css" href="a.css""#,
        ] {
            assert!(links(link).is_err(), "{link}");
        }
    }

    #[test]
    fn the_page_and_its_settings_are_understood() {
        let read = |file: &str| std::fs::read_to_string(workspace::root().join(file)).unwrap();
        let html = read("index.html");
        let links = links(&html).unwrap();
        let roles: Vec<Role> = links
            .iter()
            .filter_map(|link| match link.kind {
                Kind::Rust { role, .. } => Some(role),
                Kind::Loaded { .. } | Kind::Copied { .. } => None,
            })
            .collect();
        assert_eq!(roles, [Role::Main, Role::Worker]);
        assert_eq!(html.matches("data-trunk").count(), links.len());
        let settings = read("Trunk.toml");
        for name in ["pattern_preload", "pattern_script"] {
            let text = pattern(&settings, name, "a.js", "a_bg.wasm").unwrap();
            assert!(text.contains("\"/a.js\"") && text.contains("\"/a_bg.wasm\""), "{text}");
            assert!(!text.contains(['{', '}']), "{text}");
        }
        assert!(pattern(&settings, "pattern_other", "", "").is_err());
    }
}
