//! Text that changes, in a way that a translator of the browser cannot freeze.
//!
//! Chrome's translator takes each text node out of the document and puts two `font` elements in its
//! place. Leptos (tachys 0.2.19) keeps the node that it made and writes into it for good, so whatever changes would stand still
//! from then on; where a text node is the root of a conditional view, that view neither comes nor goes. Hence: what
//! a view writes between tags is a literal, and each text that may change is the whole content of an element of its
//! own, set through `prop:textContent`, which throws the translation away with the text that it was of. So are those of
//! two branches that differ in their words alone: to Leptos they are one view. A conditional view has elements at its
//! root. `tests/page/tests/translate.rs` holds every page to this.
//!
//! A value (a number, a name that somebody gave, what a face shows) also has `translate="no"`: it would flicker
//! while it is translated over and over, and what a face shows would be sent to the translator's server. Where it has
//! words of ours it names their `lang`, as a translator changes that of the document.

use leptos::prelude::*;

/// For `prop:textContent`, which is set again whenever what it was made of changes: it then changes with the text
/// alone, so that a screen reader hears nothing twice.
pub(crate) fn text<T>(of: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| of())
}
