namespace MLExtensions.Tests.Serving.Pad;

/// <summary>Expressions of JavaScript that list the elements of a page with which something is wrong.</summary>
internal static class PageChecks
{
    /// <summary>What one cannot reach, and what is too small for a finger (44 pixels in one direction, 24 in the other).</summary>
    public const string OutsideOrSmall = """
        [...document.querySelectorAll('button, input, select, canvas#board, #classes label')].filter(e => e.checkVisibility()).filter(e => {
          const r = e.getBoundingClientRect();
          return r.left < 0 || r.right > document.documentElement.clientWidth || Math.max(r.width, r.height) < 44 || Math.min(r.width, r.height) < 24;
        }).map(e => e.outerHTML)
        """;

    /// <summary>Texts whose contrast to their background is below 4.5 (Web Content Accessibility Guidelines 2.2, 1.4.3).</summary>
    public const string Pale = """
        (() => {
          const parse = text => text.match(/[\d.]+/g).map(Number);
          const light = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
          return [...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).filter(e => {
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
          }).map(e => e.outerHTML);
        })()
        """;
}
