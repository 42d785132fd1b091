// For compilers whose libraries know `Symbol.dispose`: what wasm-bindgen gives each class is declared there, too.
import init, { Mien, type MienCalibrationErrorCode, type MienErrorCode, type MienRun, type MienSample } from "mien-sdk";

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

export async function compared(run: MienRun): Promise<number> {
  try {
    const { faces } = await run.calibrate({
      onProgress: (faces) => {
        for (const { face, looks, needed, obstacle } of faces) console.log(face, looks / needed, obstacle?.length);
      },
    });
    return faces.reduce((sum, { looks }) => sum + looks, 0);
  } catch (fault) {
    const { code } = fault as Error & { code: MienCalibrationErrorCode };
    return code === "neutral_not_taken" ? 0 : -1;
  }
}

export function isOurs(code: MienErrorCode): boolean {
  return code === "not_built" || code === "blocked";
}
