//! The first page: what this is, working, and two ways in.

use leptos::prelude::*;
use mien_engine::PickedFile;

use super::preview::Preview;
use super::trial::Picked;
use super::unfinished::UnfinishedList;
use crate::components::{Brand, FilePick, Link};
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
