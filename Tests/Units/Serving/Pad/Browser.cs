using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>A Chromium without a window, spoken to by its DevTools protocol.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Variable = "MLEXTENSIONS_BROWSER";
    private static readonly string[] Names = ["chromium", "google-chrome", "google-chrome-stable", "chromium-headless-shell", "chromium-browser"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly TemporaryFolder _profile;
    private readonly ClientWebSocket _link = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _asked = new();
    private readonly ConcurrentDictionary<string, Action<string, JsonElement>> _listeners = new();
    private Task _reading = Task.CompletedTask;
    private int _count;

    private Browser(Process process, TemporaryFolder profile) => (_process, _profile) = (process, profile);

    /// <summary>The program; skips the test where there is none.</summary>
    public static string Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var found = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (found == null)
            Assert.Inconclusive($"There is no Chromium (Debian: apt-get install chromium), and {Variable} names none; the handwriting pad is tried in one.");
        return found;
    }

    public static async Task<Browser> StartAsync()
    {
        var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(Find()) { RedirectStandardError = true, RedirectStandardOutput = true };
        // Its sandbox needs rights that containers do not give; it sees no page but ours.
        foreach (var argument in new[] { "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run", "--remote-debugging-port=0", $"--user-data-dir={profile.Path}", "about:blank" })
            start.ArgumentList.Add(argument);
        start.Environment["HOME"] = profile.Path;
        var browser = new Browser(Process.Start(start)!, profile);
        try
        {
            await browser._link.ConnectAsync(await browser.ReadAddressAsync(), CancellationToken.None);
            browser._reading = browser.ReadAllAsync();
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks for something, and waits for the answer.</summary>
    /// <param name="method">A method of the DevTools protocol.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="session">The page; null for the browser itself.</param>
    public async Task<JsonElement> SendAsync(string method, object? parameters = null, string? session = null)
    {
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = Interlocked.Increment(ref _count);
        _asked[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = JsonSerializer.SerializeToNode(parameters ?? new { }) };
        if (session != null)
            message["sessionId"] = session;
        await _sending.WaitAsync();
        try
        {
            await _link.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
        return await answer.Task.WaitAsync(Patience);
    }

    /// <summary>Opens a page that shares nothing with others.</summary>
    /// <param name="url">Its address.</param>
    /// <param name="width">Its width in CSS pixels.</param>
    /// <param name="prepare">What happens before it is loaded.</param>
    public async Task<BrowserPage> OpenAsync(string url, int width = 900, Func<BrowserPage, Task>? prepare = null)
    {
        var context = (await SendAsync("Target.createBrowserContext")).GetProperty("browserContextId").GetString()!;
        var target = (await SendAsync("Target.createTarget", new { url = "about:blank", browserContextId = context })).GetProperty("targetId").GetString()!;
        var session = (await SendAsync("Target.attachToTarget", new { targetId = target, flatten = true })).GetProperty("sessionId").GetString()!;
        var page = new BrowserPage(this, context, session);
        _listeners[session] = page.Hear;
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" })
            await page.SendAsync($"{domain}.enable");
        await page.SendAsync("Emulation.setDeviceMetricsOverride", new { width, height = 800, deviceScaleFactor = 1, mobile = false });
        await page.SendAsync("Emulation.setFocusEmulationEnabled", new { enabled = true });
        if (prepare != null)
            await prepare(page);
        await page.SendAsync("Page.navigate", new { url });
        await page.WaitAsync("document.readyState === 'complete' && location.href !== 'about:blank'");
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        _link.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _reading.ContinueWith(_ => { }, TaskScheduler.Default);
        for (var i = 0; i < 20; i++)
        {
            try
            {
                _profile.Dispose();
                return;
            }
            catch (IOException)
            {
                await Task.Delay(100); // a child that is ending still writes
            }
        }
    }

    private async Task<Uri> ReadAddressAsync()
    {
        const string Sign = "DevTools listening on ";
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new ConcurrentQueue<string>();
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not { } text)
                address.TrySetException(new InvalidOperationException($"The browser does not start: {string.Join(Environment.NewLine, lines)}"));
            else if (text.StartsWith(Sign, StringComparison.Ordinal))
                address.TrySetResult(new Uri(text[Sign.Length..]));
            else if (!address.Task.IsCompleted)
                lines.Enqueue(text);
        };
        // Both are read to their end: a full pipe would stop the browser.
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        return await address.Task.WaitAsync(Patience);
    }

    private async Task ReadAllAsync()
    {
        var memory = new byte[1 << 16];
        using var message = new MemoryStream();
        while (_link.State == WebSocketState.Open)
        {
            var part = await _link.ReceiveAsync(memory, CancellationToken.None);
            message.Write(memory, 0, part.Count);
            if (!part.EndOfMessage)
                continue;
            if (message.Length > 0)
                Take(JsonDocument.Parse(message.ToArray()).RootElement);
            message.SetLength(0);
        }
    }

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            if (!_asked.TryRemove(id.GetInt32(), out var answer))
                return;
            if (message.TryGetProperty("error", out var error))
                answer.SetException(new InvalidOperationException(error.GetRawText()));
            else
                answer.SetResult(message.GetProperty("result"));
        }
        else if (message.TryGetProperty("sessionId", out var session) && _listeners.TryGetValue(session.GetString()!, out var hear))
        {
            hear(message.GetProperty("method").GetString()!, message.GetProperty("params"));
        }
    }
}
