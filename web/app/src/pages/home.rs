//! The first page: what this is, working, and two ways in.

use leptos::prelude::*;
use mien_engine::PickedFile;

use super::preview::Preview;
use super::trial::Picked;
use super::unfinished::UnfinishedList;
use crate::browser;
use crate::components::{Brand, FilePick, Link};
use crate::kept::{self, Kept};
use crate::model::route::Route;
use crate::router::Router;

#[component]
pub(crate) fn Home() -> impl IntoView {
    let router = expect_context::<Router>();
    let picked = expect_context::<Picked>();
    let on_pick = Callback::new(move |file: PickedFile| {
        picked.put(file);
        router.go(Route::Demo);
    });
    view! {
        <div class="home">
            <header><Brand /></header>
            <main>
                <UnfinishedList />
                <div class="hero">
                    <div>
                        <h1 tabindex="-1">"Reads facial expressions from a camera, without a picture leaving the browser."</h1>
                        <p class="lead">
                            "For interviews, user research and remote sessions. This device does the seeing; a relay keeps the numbers and shows them live."
                        </p>
                        <div class="row">
                            <Link to=Route::Demo class="button" testid="try-demo">"Try the demo"</Link>
                            <Link to=Route::Start class="button primary" testid="start-session">"Start a session"</Link>
                        </div>
                        <div class="file"><FilePick on_pick=on_pick class="quiet" /></div>
                    </div>
                    <Preview />
                </div>
                <Recordings />
                <section class="facts" aria-label="What to know">
                    <div>
                        <h2>"What leaves the browser"</h2>
                        <p>"Where a face is, seven scores and the time. Never a picture: this page may connect to its own address only, and shows how much it has sent."</p>
                    </div>
                    <div>
                        <h2>"What it can and cannot know"</h2>
                        <p>"It reads what a face shows, right about seven times in ten, and says when it is unsure. It does not know what a person feels."</p>
                    </div>
                    <div>
                        <h2>"Who may use it for what"</h2>
                        <p>"To notice moments worth asking about, with everybody’s consent. Not to decide about people, and not in secret."</p>
                    </div>
                </section>
            </main>
        </div>
    }
}

/// The way back to what this device has recorded; nothing where it has recorded nothing.
#[component]
fn Recordings() -> impl IntoView {
    let row = |kept: Kept| {
        view! {
            <div data-testid="recording">
                <h2 translate="no" prop:textContent=kept.name()></h2>
                <p translate="no" lang="en" prop:textContent=browser::date_and_time(kept.started_ms)></p>
                <Link to=Route::Session(kept.session) class="button">"Open"</Link>
            </div>
        }
    };
    let list = kept::list();
    (!list.is_empty()).then(|| {
        view! {
            <section class="facts" aria-label="Recordings of this device">
                <div>
                    <h2>"Recordings of this device"</h2>
                    <p>"Open one to go on with it, or to complete, export or erase it."</p>
                </div>
                {list.into_iter().map(row).collect_view()}
            </section>
        }
    })
}
