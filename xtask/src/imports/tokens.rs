//! What a Rust file declares and names, read from its tokens: that way comments, strings and macro bodies need no
//! guessing, and finding paths does not need the whole of Rust's grammar.

use std::str::FromStr as _;

use anyhow::anyhow;
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// The part of a file that belongs to one module.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) modules: Vec<Declared>,
    pub(super) imports: Vec<Import>,
    /// Paths of at least two segments outside of imports.
    pub(super) paths: Vec<Vec<String>>,
}

/// `mod name;` or `mod name { … }`
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// From `#[path = "…"]`.
    pub(super) path: Option<String>,
    pub(super) inline: Option<Contents>,
}

/// One name that a `use` brings in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) alias: String,
    /// Whether other modules may import it from here.
    pub(super) is_public: bool,
}

pub(super) const GLOB: &str = "*";

/// Everything except what is compiled only for tests.
pub(super) fn read(source: &str) -> anyhow::Result<Contents> {
    let tokens = TokenStream::from_str(source).map_err(|fault| anyhow!("{fault}"))?;
    let mut contents = Contents::default();
    contents.walk(tokens);
    Ok(contents)
}

impl Contents {
    fn walk(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        let mut path = None;
        let mut is_public = false;
        while let Some(first) = rest.first() {
            if let Some((attribute, after)) = attribute(rest) {
                if is_for_tests(attribute) {
                    if is_punct(rest.get(1), '!') {
                        return;
                    }
                    rest = after_item(after);
                    path = None;
                } else {
                    path = path_attribute(attribute).or(path);
                    self.walk(attribute.stream());
                    rest = after;
                }
                continue;
            }
            rest = match first {
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    // `pub(in crate::place)` is a visibility and imports nothing.
                    rest = after_visibility(rest);
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => self.module(&rest[1..], path.take()),
                TokenTree::Ident(word) if word == "use" => self.imports(&rest[1..], is_public),
                TokenTree::Ident(_) => self.path(rest),
                TokenTree::Group(group) => {
                    self.walk(group.stream());
                    &rest[1..]
                }
                TokenTree::Punct(_) if is_separator(rest) => after_segment(rest),
                TokenTree::Punct(_) | TokenTree::Literal(_) => &rest[1..],
            };
            is_public = false;
        }
    }

    fn module<'a>(&mut self, rest: &'a [TokenTree], path: Option<String>) -> &'a [TokenTree] {
        let Some(name) = ident(rest) else { return rest };
        let inline = match rest.get(1) {
            Some(TokenTree::Group(body)) => {
                let mut contents = Self::default();
                contents.walk(body.stream());
                Some(contents)
            }
            _ => None,
        };
        self.modules.push(Declared { name, path, inline });
        rest.get(2..).unwrap_or_default()
    }

    fn imports<'a>(&mut self, rest: &'a [TokenTree], is_public: bool) -> &'a [TokenTree] {
        let end = rest.iter().position(|token| is_punct(Some(token), ';'));
        // `use<'a>` in a bound has no semicolon of its own.
        let Some(end) = end.filter(|_| !is_punct(rest.first(), '<')) else { return rest };
        self.tree(&rest[..end], &[], is_public);
        &rest[end..]
    }

    /// `a::{b, c::*, d as e}` below a prefix.
    fn tree(&mut self, mut rest: &[TokenTree], prefix: &[String], is_public: bool) {
        let mut path = prefix.to_vec();
        loop {
            if is_separator(rest) {
                rest = &rest[2..];
            }
            match rest.first() {
                Some(TokenTree::Ident(_)) => {
                    path.extend(ident(rest));
                    rest = &rest[1..];
                    if is_separator(rest) {
                        continue;
                    }
                    // `a::{self}` names `a`.
                    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    let renamed = if ident(rest).is_some_and(|word| word == "as") { &rest[1..] } else { &[] };
                    if let Some(alias) = ident(renamed).or_else(|| path.last().cloned()) {
                        self.imports.push(Import { path, alias, is_public });
                    }
                }
                Some(TokenTree::Group(group)) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for part in inner.split(|token| is_punct(Some(token), ',')) {
                        self.tree(part, &path, is_public);
                    }
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    path.push(GLOB.to_owned());
                    self.imports.push(Import { path, alias: GLOB.to_owned(), is_public });
                }
                _ => {}
            }
            return;
        }
    }

    fn path<'a>(&mut self, mut rest: &'a [TokenTree]) -> &'a [TokenTree] {
        let mut path = Vec::new();
        while let Some(segment) = ident(rest) {
            path.push(segment);
            rest = &rest[1..];
            if !is_separator(rest) {
                break;
            }
            rest = &rest[2..];
        }
        if path.len() > 1 {
            self.paths.push(path);
        }
        rest
    }
}

fn ident(rest: &[TokenTree]) -> Option<String> {
    let TokenTree::Ident(ident) = rest.first()? else { return None };
    let text = ident.to_string();
    Some(text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned))
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether `::` comes next.
fn is_separator(rest: &[TokenTree]) -> bool {
    matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint)
        && is_punct(rest.get(1), ':')
}

/// What follows `::x` if the path before it is not ours, as in `<T>::new` and `::std`.
fn after_segment(rest: &[TokenTree]) -> &[TokenTree] {
    let after = &rest[2..];
    // `::mien_shared::Sample` names one of our crates all the same.
    if ident(after).is_none_or(|name| name.starts_with("mien_")) { after } else { &after[1..] }
}

/// `#[…]` or `#![…]`, and what follows it.
fn attribute(rest: &[TokenTree]) -> Option<(&Group, &[TokenTree])> {
    if !is_punct(rest.first(), '#') {
        return None;
    }
    let place = if is_punct(rest.get(1), '!') { 2 } else { 1 };
    match rest.get(place)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some((group, &rest[place + 1..]))
        }
        _ => None,
    }
}

/// `cfg(test)`, alone or among other conditions that must all hold.
fn is_for_tests(attribute: &Group) -> bool {
    fn holds_in_tests_alone(condition: &[TokenTree]) -> bool {
        match condition {
            [TokenTree::Ident(word)] => word == "test",
            [TokenTree::Ident(word), TokenTree::Group(all)] if word == "all" => {
                let all: Vec<TokenTree> = all.stream().into_iter().collect();
                all.split(|token| is_punct(Some(token), ',')).any(holds_in_tests_alone)
            }
            _ => false,
        }
    }
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(word), TokenTree::Group(condition)] if word == "cfg" => {
            holds_in_tests_alone(&condition.stream().into_iter().collect::<Vec<_>>())
        }
        _ => false,
    }
}

fn path_attribute(attribute: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(word), TokenTree::Punct(_), TokenTree::Literal(path)] if word == "path" => {
            Some(path.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

fn after_visibility(rest: &[TokenTree]) -> &[TokenTree] {
    let after = &rest[1..];
    match after.first() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => &after[1..],
        _ => after,
    }
}

/// What follows the item, field, variant or statement that starts here.
fn after_item(mut rest: &[TokenTree]) -> &[TokenTree] {
    while let Some((_, after)) = attribute(rest) {
        rest = after;
    }
    if ident(rest).is_some_and(|word| word == "pub") {
        rest = after_visibility(rest);
    }
    let kind = ident(rest).unwrap_or_default();
    let is_function = ident(rest.get(1..).unwrap_or_default()).is_some_and(|word| word == "fn");
    let (ends_with_braces, ends_with_comma) = match &*kind {
        "use" | "static" | "type" | "let" => (false, false),
        "const" => (is_function, false),
        "mod" | "fn" | "struct" | "enum" | "union" | "impl" | "trait" | "unsafe" | "async" | "extern"
        | "macro_rules" => (true, false),
        _ => (true, true),
    };
    let end = rest.iter().position(|token| match token {
        TokenTree::Group(group) => ends_with_braces && group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';') || ends_with_comma && is_punct(Some(token), ','),
    });
    end.map_or(&[], |end| &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(source: &str) -> Vec<String> {
        read(source).unwrap().imports.iter().map(|import| import.path.join("::")).collect()
    }

    #[test]
    fn every_name_of_a_tree_is_read() {
        let source =
            "use crate::a::{self, b::{C, d as e}, f::*}; pub(crate) use super::super::g; use ::std::fmt;";
        let expected = ["crate::a", "crate::a::b::C", "crate::a::b::d", "crate::a::f::*", "super::super::g"];
        assert_eq!(imported(source)[..5], expected);
        let imports = read(source).unwrap().imports;
        assert_eq!((&*imports[2].alias, imports[2].is_public), ("e", false));
        assert!(imports[4].is_public);
    }

    #[test]
    fn comments_texts_and_visibility_name_nothing() {
        let source = r##"
            // use crate::a;
            /// See `crate::b::c`.
            pub(in crate::d::e) fn f() { let _ = "crate::g::h"; let _ = r#"use crate::i;"#; j::k::<u8>(); }
            fn captures<'a>() -> impl Iterator + use<'a> { <crate::l::M>::new(); format!("{}", self::n::o()) }
        "##;
        let contents = read(source).unwrap();
        assert_eq!(contents.imports, []);
        let paths: Vec<String> = contents.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["j::k", "crate::l::M", "self::n::o"]);
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let source = "
            #[cfg(test)] mod tests { use crate::a; }
            #[cfg(test)] #[path = \"b_tests.rs\"] mod more;
            #[cfg(all(test, unix))] use crate::{c, d};
            struct S { #[cfg(test)] e: crate::e::E, #[schema(value_type = crate::v::V)] f: crate::f::F }
            #[cfg(test)] pub(crate) const fn g() -> crate::g::G { crate::g::G }
            #[cfg(test)] const H: [u8; 2] = { crate::h::H };
            #[cfg(not(test))] use crate::i;
            #[cfg(any(test, unix))] use crate::j;
            #[path = \"other.rs\"] mod k;
        ";
        let contents = read(source).unwrap();
        assert_eq!(imported(source), ["crate::i", "crate::j"]);
        assert_eq!(contents.paths, [["crate", "v", "V"], ["crate", "f", "F"]]);
        let [module] = &contents.modules[..] else { panic!("{:?}", contents.modules) };
        assert_eq!((&*module.name, module.path.as_deref()), ("k", Some("other.rs")));
    }

    #[test]
    fn modules_within_a_file_keep_their_names_apart() {
        let contents = read("mod a { use super::b; mod c; } use self::d;").unwrap();
        let inner = contents.modules[0].inline.as_ref().unwrap();
        assert_eq!((inner.imports.len(), &*inner.modules[0].name, contents.imports.len()), (1, "c", 1));
    }
}
