// For compilers whose libraries know `Symbol.dispose`: what wasm-bindgen gives each class is declared there, too.
import init, { Mien, type MienErrorCode, type MienSample } from "mien-sdk";

export async function happiest(video: HTMLVideoElement): Promise<number> {
  await init();
  using mien = await Mien.load({ baseUrl: "/mien/" });
  let most = 0;
  const run = await mien.start(video, {
    onSample: ({ faces, media_ms, skipped }: MienSample) => {
      for (const { scores } of faces) most = Math.max(most, scores[1]);
      const lost: number = (skipped ?? []).reduce((sum, { ms }) => sum + ms, 0);
      console.log(media_ms?.toFixed(0), lost);
    },
  });
  run.stop();
  return most;
}

export function isOurs(code: MienErrorCode): boolean {
  return code === "not_built" || code === "blocked";
}
