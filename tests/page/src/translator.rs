//! What a browser's translator does to a page: it replaces each text node with two `font` elements around its
//! translation, and does the same to text added later. `Browser` has no translator of its own, as that would ask a
//! server.

use crate::page::Page;

/// Runs before the page's own code. `translate()` begins to translate, with «» for another language. Meanwhile it is
/// kept what would freeze under a translator, translated or not: text nodes that the page writes into, or puts in
/// place and takes away by themselves (`handled`); and values that change where they may be translated (`values`).
const SCRIPT: &str = "
    globalThis.handled = [];
    globalThis.values = [];
    for (const [type, name] of [[Node, 'nodeValue'], [Node, 'textContent'], [CharacterData, 'data']]) {
        const own = Object.getOwnPropertyDescriptor(type.prototype, name);
        Object.defineProperty(type.prototype, name, { ...own, set(value) {
            if (this instanceof Text) handled.push(`${this.data} became ${value}`);
            own.set.call(this, value);
        } });
    }
    const { remove } = CharacterData.prototype;
    CharacterData.prototype.remove = function () {
        if (this instanceof Text) handled.push(`${this.data} was taken away`);
        remove.call(this);
    };
    const { insertBefore } = Node.prototype;
    Node.prototype.insertBefore = function (child, before) {
        if (child instanceof Text && this.isConnected) handled.push(`${child.data} was put in place`);
        return insertBefore.call(this, child, before);
    };
    let begun = false;
    const replace = text => {
        const parent = text.parentElement;
        if (!text.data.trim() || !parent?.translate || parent.closest('font, script, style, noscript')) return;
        const [outer, inner] = [document.createElement('font'), document.createElement('font')];
        inner.append(`«${text.data.trim()}»`);
        outer.append(inner);
        text.replaceWith(outer);
    };
    const replaceIn = root => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const texts = root instanceof Text ? [root] : [];
        while (walker.nextNode()) texts.push(walker.currentNode);
        texts.filter(text => text.isConnected).forEach(replace);
    };
    new MutationObserver(changes => {
        for (const { target, addedNodes } of changes) for (const node of addedNodes) {
            if (node instanceof Text && /[0-9]/.test(node.data) && target.translate && target.tagName !== 'NOSCRIPT') {
                values.push(`${node.data} in ${target.outerHTML}`);
            }
            if (begun) replaceIn(node);
        }
    }).observe(document, { childList: true, subtree: true });
    globalThis.translate = () => {
        begun = true;
        replaceIn(document.body);
        return document.querySelectorAll('font font').length;
    };
";

impl Page {
    /// For the pages opened from here on.
    pub fn have_translator(&self) {
        self.before_each_load(SCRIPT);
    }

    /// From now on this page is translated, including what is added to it.
    pub fn translate(&self) {
        self.wait_for("a translation", "translate() > 0");
    }

    /// Waits until the page shows this; the page's own words are in «».
    pub fn wait_for_text(&self, text: &str) {
        self.wait_for(text, &format!("document.body.innerText.includes({text:?})"));
    }

    /// Waits until the page no longer shows this.
    pub fn wait_for_no_text(&self, text: &str) {
        self.wait_for(&format!("{text} to go"), &format!("!document.body.innerText.includes({text:?})"));
    }

    /// Asserts that a translator can freeze nothing that this document has shown so far.
    pub fn assert_not_frozen(&self) {
        let none = Some(serde_json::json!([]));
        assert_eq!(self.ask("handled"), none, "text nodes that the page itself handles");
        assert_eq!(self.ask("values"), none, "values that may be translated");
    }
}
