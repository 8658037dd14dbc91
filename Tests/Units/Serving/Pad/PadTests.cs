using System.IO.Compression;
using MLExtensions.Examples.Serving;
using Microsoft.AspNetCore.Builder;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>The handwriting pad of the server example, in a real browser.</summary>
[TestClass]
public sealed class PadTests
{
    private const string Drawn = "document.querySelector('#said').textContent.startsWith('It looks like')";

    private static TemporaryFolder _folder = null!;
    private static WebApplication _server = null!;
    private static Browser _browser = null!;

    [ClassInitialize]
    public static async Task Start(TestContext context)
    {
        Browser.Find();
        _folder = new TemporaryFolder();
        PadModels.WriteClassifier(_folder.File("mnist.zip"));
        PadModels.WriteGenerator(_folder.File("digits-gan.zip"));
        _server = await StartAsync(new ServerOptions { Models = _folder.Path });
        _browser = await Browser.StartAsync();
    }

    [ClassCleanup]
    public static async Task Stop()
    {
        if (_browser == null)
            return;
        await _browser.DisposeAsync();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public async Task DrawnDigits_AreRecognized(bool touch)
    {
        await using var page = await OpenAsync(prepare: page => page.SendAsync("Emulation.setTouchEmulationEnabled", new { enabled = touch }));
        var seen = new List<string>();
        for (var digit = 0; digit < 10; digit++)
        {
            await page.DrawAsync("#board", DrawnDigits.Of(digit), touch);
            await page.WaitAsync(Drawn);
            seen.Add(await page.TextAsync("#said"));
            await page.ClickAsync("#clear");
            await page.WaitAsync($"!{Drawn}");
        }
        var right = seen.Where((text, digit) => text.StartsWith($"It looks like {digit} (", StringComparison.Ordinal)).Count();
        Assert.IsGreaterThanOrEqualTo(9, right, string.Join(Environment.NewLine, seen));
        AssertClean(page);
    }

    [TestMethod]
    public async Task Bars_AreTheProbabilities()
    {
        await using var page = await OpenAsync();
        await page.DrawAsync("#board", DrawnDigits.Of(4));
        await page.WaitAsync(Drawn);
        Assert.AreEqual("0123456789", string.Concat((await page.EvaluateAsync("[...document.querySelectorAll('#bars th')].map(e => e.textContent)")).EnumerateArray()));
        Assert.AreEqual("4", await page.TextAsync("#bars .best th"));
        Assert.AreEqual(100, await page.NumberAsync("[...document.querySelectorAll('#bars td:last-child')].reduce((sum, e) => sum + parseFloat(e.textContent), 0)"), 0.6);
        Assert.IsGreaterThan(50, await page.NumberAsync("document.querySelectorAll('#seen').length && [...document.querySelector('#seen').getContext('2d').getImageData(0, 0, 28, 28).data].filter((v, i) => i % 4 === 0 && v > 127).length"));
        AssertClean(page);
    }

    [TestMethod]
    public async Task WhileOneRequestRuns_OnlyTheNewestWaits()
    {
        await using var page = await OpenAsync();
        var asked = await page.EvaluateAsync("""
            (async () => {
              const { latest } = await import('/pad/latest.js');
              const asked = [], answer = [];
              const ask = latest(value => { asked.push(value); return new Promise(end => answer.push(end)); });
              [1, 2, 3].forEach(value => ask(value));
              const first = [...asked];
              answer[0]();
              await new Promise(end => setTimeout(end));
              return [first, asked];
            })()
            """);
        Assert.AreEqual("[[1],[1,3]]", asked.GetRawText());
    }

    [TestMethod]
    public async Task Undo_TakesBackAStroke()
    {
        await using var page = await OpenAsync();
        var one = DrawnDigits.Of(1);
        await page.DrawAsync("#board", one);
        await page.WaitAsync(Drawn);
        var before = await SeenAsync(page);
        await page.DrawAsync("#board", DrawnDigits.Of(0));
        await page.WaitAsync($"({Seen}) !== '{before}'");
        await page.ClickAsync("#undo");
        await page.WaitAsync($"({Seen}) === '{before}'");
        await page.PressAsync("Ctrl+z");
        await page.WaitAsync("document.querySelector('#said').textContent === 'Nothing is drawn.'");
        Assert.AreEqual("–", await page.TextAsync("#result"));
        await page.ClickAsync("#undo"); // nothing is left to take back
        AssertClean(page);
    }

    [TestMethod]
    public async Task KeyboardAlone_DrawsDigits()
    {
        await using var page = await OpenAsync();
        for (var i = 0; i < 10 && (await page.EvaluateAsync("document.activeElement.id")).GetString() != "board"; i++)
            await page.PressAsync("Tab");
        Assert.AreEqual("board", (await page.EvaluateAsync("document.activeElement.id")).GetString());

        await page.PressAsync(" ");
        Assert.Contains("Pen down, 50 % from the left, 20 % from the top", await page.TextAsync("#pen"));
        await page.PressAsync("Down", 16);
        await page.WaitAsync("document.querySelector('#bars .best')"); // it is asked while one draws, and told when the pen is lifted
        Assert.AreEqual("", await page.TextAsync("#said"));
        await page.PressAsync(" ");
        await page.WaitAsync(Drawn);
        Assert.StartsWith("It looks like 1 (", await page.TextAsync("#said"));

        await page.PressAsync("Delete");
        await page.WaitAsync($"!{Drawn}");
        await page.PressAsync("Left", 6);
        await page.PressAsync("Up", 16);
        await page.PressAsync(" ");
        await page.PressAsync("Right", 11);
        for (var i = 0; i < 8; i++)
        {
            await page.PressAsync("Down");
            await page.PressAsync("Left+Down");
        }
        await page.PressAsync(" ");
        await page.WaitAsync(Drawn);
        Assert.StartsWith("It looks like 7 (", await page.TextAsync("#said"));
        AssertClean(page);
    }

    [TestMethod]
    public async Task Generator_MakesDigitsOnTheWayBetweenTwo()
    {
        await using var page = await OpenAsync();
        await page.EvaluateAsync("document.querySelector('#recognize-tab').focus()");
        await page.PressAsync("Right"); // from tab to tab
        await page.WaitAsync("document.querySelector('#made').textContent.startsWith('A generated 0, 50 % of the way from sample 1 to sample 2. The model mnist sees ')");
        Assert.AreEqual(10, await page.NumberAsync("new Set([...document.querySelectorAll('#classes canvas')].map(e => e.toDataURL())).size"));
        await page.ClickAsync("#classes label:nth-child(8)");
        await page.WaitAsync("document.querySelector('#mixed').ariaLabel.startsWith('A generated 7, 50 %')");
        var half = await page.EvaluateAsync(Pictures);
        Assert.AreEqual(3, half.EnumerateArray().Select(picture => picture.GetString()).Distinct().Count());
        await page.EvaluateAsync("document.querySelector('#mix').focus()");
        await page.PressAsync("Home");
        await page.WaitAsync("document.querySelector('#mixed').ariaLabel.startsWith('A generated 7, 0 %')");
        var first = await page.EvaluateAsync(Pictures);
        Assert.AreEqual(first[0].GetString(), first[1].GetString(), "at 0 % it is the first sample");
        await page.PressAsync("End");
        await page.WaitAsync("document.querySelector('#mixed').ariaLabel.startsWith('A generated 7, 100 %')");
        var last = await page.EvaluateAsync(Pictures);
        Assert.AreEqual(last[2].GetString(), last[1].GetString(), "at 100 % it is the second sample");
        await page.ClickAsync("#second-other");
        await page.WaitAsync($"({Pictures})[2] !== '{last[2].GetString()}'");
        AssertClean(page);
    }

    [TestMethod]
    public async Task NarrowScreen_ShowsAllWithoutScrollingSideways()
    {
        await using var page = await OpenAsync(width: 360);
        foreach (var tab in new[] { "generate", "recognize" })
        {
            await page.ClickAsync($"#{tab}-tab");
            Assert.AreEqual(0, await page.NumberAsync("document.documentElement.scrollWidth - document.documentElement.clientWidth"), tab);
            Assert.AreEqual("", string.Join(' ', (await page.EvaluateAsync(PageChecks.OutsideOrSmall)).EnumerateArray()), tab);
        }
        await page.DrawAsync("#board", DrawnDigits.Of(3));
        await page.WaitAsync(Drawn);
        AssertClean(page);
    }

    [TestMethod]
    [DataRow("light")]
    [DataRow("dark")]
    public async Task Texts_HaveContrast(string scheme)
    {
        await using var page = await OpenAsync(prepare: page => page.SendAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = scheme }, new { name = "prefers-reduced-motion", value = "reduce" } } }));
        foreach (var tab in new[] { "generate", "recognize" })
        {
            await page.ClickAsync($"#{tab}-tab");
            Assert.AreEqual("", string.Join(' ', (await page.EvaluateAsync(PageChecks.Pale)).EnumerateArray()), tab);
        }
        Assert.AreEqual("0s", (await page.EvaluateAsync("getComputedStyle(document.querySelector('td div')).transitionDuration")).GetString());
        AssertClean(page);
    }

    [TestMethod]
    public async Task WithoutModels_SaysHowToTrainOne()
    {
        using var folder = new TemporaryFolder();
        await using var server = await StartAsync(new ServerOptions { Models = folder.Path, WatchInterval = TimeSpan.FromMilliseconds(20) });
        await using var page = await _browser.OpenAsync(server.Urls.First() + "/pad/");
        await page.WaitAsync("document.querySelector('#recognize .needs').checkVisibility()");
        Assert.Contains("-- mnist-cnn", await page.TextAsync("#recognize .needs"));
        await page.ClickAsync("#generate-tab");
        Assert.IsTrue((await page.EvaluateAsync("document.querySelector('#generate .needs').checkVisibility()")).GetBoolean());
        Assert.Contains("-- cgan-mnist", await page.TextAsync("#generate .needs"));
        await page.ClickAsync("#recognize-tab");
        PadModels.WriteClassifier(folder.File("mnist.zip"));
        await page.WaitAsync("document.querySelector('#board').checkVisibility()");
        await page.DrawAsync("#board", DrawnDigits.Of(2));
        await page.WaitAsync(Drawn);
        AssertClean(page);
    }

    [TestMethod]
    public async Task KeyAndProxy_AreNoHindrance()
    {
        await using var server = await StartAsync(new ServerOptions { Models = _folder.Path, ApiKey = "secret" });
        await using var proxy = await PadProxy.StartAsync(server.Urls.First());
        await using var page = await _browser.OpenAsync(proxy.Urls.First() + "/somewhere/else/pad");
        await page.WaitAsync("document.querySelector('#key-form').checkVisibility()");
        await TryKeyAsync("wrong");
        await page.WaitAsync("document.querySelector('#problem').textContent.includes('does not accept the key')");
        await TryKeyAsync("secret");
        await page.WaitAsync("document.querySelectorAll('#bars tr').length === 10 && !document.querySelector('#key-form').checkVisibility() && !document.querySelector('#problem').checkVisibility()");
        await page.DrawAsync("#board", DrawnDigits.Of(6));
        await page.WaitAsync(Drawn);
        Assert.IsTrue(page.Complaints.All(text => text.Contains("401", StringComparison.Ordinal)), string.Join(' ', page.Complaints));
        Assert.IsTrue(page.Requests.All(url => url.StartsWith(proxy.Urls.First() + "/somewhere/else/", StringComparison.Ordinal)), string.Join(' ', page.Requests));

        async Task TryKeyAsync(string key)
        {
            await page.EvaluateAsync("document.querySelector('#key').value = '', document.querySelector('#key').focus()");
            await page.SendAsync("Input.insertText", new { text = key });
            await page.PressAsync("Enter");
        }
    }

    [TestMethod]
    public async Task DigitsOfMnist_StayAsTheyAre()
    {
        const int Count = 500, Pixels = 784, Header = 16;
        using var file = new GZipStream(File.OpenRead(DataFolder.PathOf("mnist/t10k-images-idx3-ubyte.gz")), CompressionMode.Decompress);
        var bytes = new byte[Header + (Count * Pixels)];
        await file.ReadExactlyAsync(bytes);
        await using var page = await OpenAsync();
        var images = Convert.ToBase64String(bytes.AsSpan(Header));
        var same = await page.EvaluateAsync($$"""
            (async () => {
              const { normalize } = await import('/pad/mnist.js');
              const bytes = Uint8Array.from(atob('{{images}}'), c => c.charCodeAt(0));
              let [same, sameEnlarged] = [0, 0];
              for (let i = 0; i < {{Count}}; i++) {
                const image = Float32Array.from(bytes.subarray(i * 784, (i + 1) * 784), byte => byte / 255);
                const isSame = other => image.every((value, j) => Math.abs(value - other[j]) < 1e-5);
                same += isSame(normalize(image, 28, 28));
                const large = new Float32Array(100 * 120); // three times as large, and elsewhere
                for (let y = 0; y < 84; y++)
                  for (let x = 0; x < 84; x++)
                    large[(y + 30) * 100 + x + 2] = image[Math.floor(y / 3) * 28 + Math.floor(x / 3)];
                sameEnlarged += isSame(normalize(large, 100, 120));
              }
              return [same, sameEnlarged];
            })()
            """);
        Assert.IsGreaterThanOrEqualTo(Count - 5, same[0].GetInt32()); // a few of MNIST's fill 19 pixels only
        Assert.IsGreaterThanOrEqualTo(Count - 5, same[1].GetInt32());
    }

    private const string Seen = "document.querySelector('#seen').toDataURL()";

    private const string Pictures = "['first', 'mixed', 'second'].map(id => document.getElementById(id).toDataURL())";

    private static async Task<string> SeenAsync(BrowserPage page) => (await page.EvaluateAsync(Seen)).GetString()!;

    private static async Task<BrowserPage> OpenAsync(int width = 900, Func<BrowserPage, Task>? prepare = null)
    {
        var page = await _browser.OpenAsync(_server.Urls.First() + "/pad/", width, prepare);
        await page.WaitAsync("document.querySelectorAll('#bars tr').length === 10");
        return page;
    }

    private static void AssertClean(BrowserPage page)
    {
        Assert.IsEmpty(page.Complaints, string.Join(Environment.NewLine, page.Complaints));
        Assert.IsNotEmpty(page.Requests);
        var origin = new Uri(page.Requests.First()).GetLeftPart(UriPartial.Authority);
        Assert.IsTrue(page.Requests.All(url => url.StartsWith(origin + "/", StringComparison.Ordinal)), string.Join(' ', page.Requests));
    }

    private static async Task<WebApplication> StartAsync(ServerOptions options)
    {
        var server = ModelServer.Build(options with { Url = "http://127.0.0.1:0", Drain = TimeSpan.Zero });
        await server.StartAsync();
        return server;
    }
}
