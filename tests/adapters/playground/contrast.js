// The texts of a page that do not reach a contrast of 4.5 to 1 with what is behind them.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    if (!e) return [255, 255, 255, 1];
    const style = getComputedStyle(e);
    const gradient = style.backgroundImage.match(/^linear-gradient\((?:[^,(]+deg, )?(rgba?\([^)]*\))/);
    const here = rgba(gradient ? gradient[1] : style.backgroundColor);
    return here[3] === 1 ? here : over(here, ground(e.parentElement));
  };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility({ visibilityProperty: true }) || e.closest('.unseen, svg, .face, .skip')) continue;
    const back = ground(e);
    let opacity = 1;
    for (let one = e; one; one = one.parentElement) opacity *= +getComputedStyle(one).opacity;
    const [r, g, b, a] = rgba(getComputedStyle(e).color);
    const text = over([r, g, b, a * opacity], back);
    const [high, low] = [light(text), light(back)].sort((x, y) => y - x);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.className} «${e.textContent.trim().slice(0, 30)}»`);
  }
  return [...new Set(found)];
}
