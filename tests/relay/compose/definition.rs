//! Reads compose.yaml.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use mien_kit::parts;
use yaml_rust2::{Yaml, YamlLoader};

/// The prefix of commands in its comment.
const COMMENT: &str = "#   ";

pub(crate) struct Definition {
    text: String,
    whole: Yaml,
}

/// One service, with all of its keys.
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    definition: &'a Definition,
    pub(crate) body: &'a Yaml,
}

impl Definition {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(parts::root().join("compose.yaml")).unwrap();
        let whole = YamlLoader::load_from_str(&text).unwrap().remove(0);
        for key in keys(&whole) {
            let known = ["services", "networks", "secrets", "configs", "volumes"].contains(&key);
            assert!(known, "compose.yaml has `{key}`, which this test does not know");
        }
        Self { text, whole }
    }

    /// In order: services that others depend on come first.
    pub(crate) fn services(&self) -> Vec<Service<'_>> {
        let mut left: Vec<Service<'_>> = keys(&self.whole["services"])
            .map(|name| Service { name, definition: self, body: &self.whole["services"][name] })
            .collect();
        let mut ordered: Vec<Service<'_>> = Vec::new();
        while !left.is_empty() {
            let ready = |service: &Service<'_>| {
                service.needs().iter().all(|(name, _)| ordered.iter().any(|before| before.name == *name))
            };
            let place = left.iter().position(ready).expect("services depend on each other in a circle");
            ordered.push(left.remove(place));
        }
        ordered
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = (&str, &Yaml)> {
        keys(&self.whole["networks"]).map(|name| (name, &self.whole["networks"][name]))
    }

    pub(crate) fn volumes(&self) -> impl Iterator<Item = &str> {
        keys(&self.whole["volumes"])
    }

    pub(crate) fn config(&self, name: &str) -> &str {
        self.whole["configs"][name]["content"].as_str().unwrap()
    }

    pub(crate) fn secret(&self, name: &str) -> &str {
        self.whole["secrets"][name]["file"].as_str().unwrap()
    }

    /// Makes the secrets in this folder, with the commands that the comment tells people to type.
    pub(crate) fn make_secrets(&self, folder: &Path) {
        let lines = self.text.lines().take_while(|line| line.starts_with('#'));
        let commands: Vec<&str> = lines.filter_map(|line| line.strip_prefix(COMMENT)).collect();
        let before = commands.iter().position(|line| line.starts_with("docker compose up")).unwrap();
        assert_eq!(commands[0], "cargo xtask image");
        let script = commands[1..before].join("\n");
        let made = Command::new("sh").args(["-euc", &script]).current_dir(folder).status().unwrap();
        assert!(made.success(), "the commands of the comment fail:\n{script}");
    }
}

impl<'a> Service<'a> {
    /// The services that it waits for, and the condition.
    pub(crate) fn needs(&self) -> Vec<(&'a str, &'a str)> {
        match &self.body["depends_on"] {
            Yaml::Hash(hash) => hash
                .iter()
                .map(|(name, how)| (name.as_str().unwrap(), how["condition"].as_str().unwrap()))
                .collect(),
            list => texts(list).map(|name| (name, "service_started")).collect(),
        }
    }

    /// Names of its networks, with its address there if one is given.
    pub(crate) fn networks(&self) -> Vec<(&'a str, Option<String>)> {
        match &self.body["networks"] {
            Yaml::Hash(hash) => {
                let address = |place: &Yaml| place["ipv4_address"].as_str().map(ToOwned::to_owned);
                hash.iter().map(|(name, place)| (name.as_str().unwrap(), address(place))).collect()
            }
            list => texts(list).map(|name| (name, None)).collect(),
        }
    }

    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let variables = &self.body["environment"];
        keys(variables).map(|name| (name, variables[name].as_str().unwrap()))
    }

    /// The files of its configs: their contents, and where they are mounted.
    pub(crate) fn configs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let configs = self.body["configs"].as_vec().into_iter().flatten();
        let definition = self.definition;
        configs.map(move |one| {
            (definition.config(one["source"].as_str().unwrap()), one["target"].as_str().unwrap())
        })
    }
}

pub(crate) fn keys(yaml: &Yaml) -> impl Iterator<Item = &str> {
    yaml.as_hash().into_iter().flatten().map(|(key, _)| key.as_str().unwrap())
}

pub(crate) fn texts(yaml: &Yaml) -> impl Iterator<Item = &str> {
    yaml.as_vec().into_iter().flatten().map(|text| text.as_str().unwrap())
}

/// Fills in `${NAME:-default}` from these variables, as for somebody who has them in a file `.env`.
pub(crate) fn filled(text: &str, variables: &BTreeMap<&str, String>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inner, after) = rest.split_once('}').unwrap();
    let (name, default) = inner.split_once(":-").unwrap();
    let value = variables.get(name).map_or(default, String::as_str);
    format!("{before}{value}{}", filled(after, variables))
}
