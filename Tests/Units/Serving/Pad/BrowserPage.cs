using System.Collections.Concurrent;
using System.Text.Json;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>A page in a browser: what a user does there, and what went wrong.</summary>
internal sealed class BrowserPage(Browser browser, string context, string session) : IAsyncDisposable
{
    private static readonly Dictionary<string, int> Keys = new() { ["Tab"] = 9, ["Enter"] = 13, [" "] = 32, ["End"] = 35, ["Home"] = 36, ["ArrowLeft"] = 37, ["ArrowUp"] = 38, ["ArrowRight"] = 39, ["ArrowDown"] = 40, ["Delete"] = 46, ["z"] = 90 };

    /// <summary>Errors and warnings in the console, and exceptions.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    /// <summary>What the page has asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public Task<JsonElement> SendAsync(string method, object? parameters = null) => browser.SendAsync(method, parameters, session);

    public void Hear(string method, JsonElement parameters)
    {
        switch (method)
        {
            case "Runtime.exceptionThrown":
                Complaints.Enqueue(parameters.GetRawText());
                break;
            case "Runtime.consoleAPICalled" when parameters.GetProperty("type").GetString() is "error" or "warning" or "assert":
                Complaints.Enqueue(parameters.GetProperty("args").GetRawText());
                break;
            case "Log.entryAdded" when parameters.GetProperty("entry").GetProperty("level").GetString() is "error" or "warning":
                Complaints.Enqueue(parameters.GetProperty("entry").GetRawText());
                break;
            case "Network.requestWillBeSent":
                Requests.Enqueue(parameters.GetProperty("request").GetProperty("url").GetString()!);
                break;
        }
    }

    /// <summary>The value of an expression of JavaScript, or what its promise brings.</summary>
    public async Task<JsonElement> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new { expression, awaitPromise = true, returnByValue = true });
        if (answer.TryGetProperty("exceptionDetails", out var details))
            throw new InvalidOperationException(details.GetRawText());
        return answer.GetProperty("result").TryGetProperty("value", out var value) ? value : default;
    }

    public async Task<string> TextAsync(string selector) => (await EvaluateAsync($"document.querySelector('{selector}').textContent")).GetString()!.Trim();

    public async Task<double> NumberAsync(string expression) => (await EvaluateAsync(expression)).GetDouble();

    /// <summary>Waits until a condition holds.</summary>
    public async Task WaitAsync(string condition)
    {
        // A navigation ends what the old page was waiting for: so each look is a question of its own.
        for (var i = 0; i < 500; i++)
        {
            if ((await EvaluateAsync($"!!({condition})")).GetBoolean())
                return;
            await Task.Delay(20);
        }
        Assert.Fail($"It does not come true: {condition}. The page says: {await TextAsync("body")} Complaints: {string.Join(' ', Complaints)}");
    }

    /// <summary>Clicks on the middle of an element.</summary>
    public async Task ClickAsync(string selector)
    {
        var place = await EvaluateAsync($"(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{ block: 'center' }}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()");
        await Mouse("mousePressed", place[0].GetDouble(), place[1].GetDouble());
        await Mouse("mouseReleased", place[0].GetDouble(), place[1].GetDouble());
    }

    /// <summary>Draws with the mouse or with a finger. The places are parts of the width and height of an element.</summary>
    public async Task DrawAsync(string selector, IEnumerable<(double X, double Y)[]> strokes, bool touch = false)
    {
        var box = await EvaluateAsync($"(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{ block: 'center' }}); const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }})()");
        double[] bounds = [.. box.EnumerateArray().Select(value => value.GetDouble())];
        foreach (var stroke in strokes)
        {
            var way = stroke.Select(point => (X: bounds[0] + (point.X * bounds[2]), Y: bounds[1] + (point.Y * bounds[3]))).ToArray();
            var sent = new List<Task> { Press(true, way[0]) };
            sent.AddRange(way[1..].Select(point => touch ? Touch("touchMove", point) : Mouse("mouseMoved", point.X, point.Y)));
            sent.Add(Press(false, way[^1]));
            await Task.WhenAll(sent);
        }
        Task<JsonElement> Press(bool down, (double X, double Y) point) => touch ? Touch(down ? "touchStart" : "touchEnd", down ? point : null) : Mouse(down ? "mousePressed" : "mouseReleased", point.X, point.Y);
    }

    /// <summary>Presses keys, one after the other. "Left+Down" holds one while the other is pressed; "Ctrl+z" holds Ctrl.</summary>
    public async Task PressAsync(string keys, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            var parts = keys.Split('+');
            if (parts is ["Ctrl", var letter])
            {
                await Key("rawKeyDown", letter, modifiers: 2);
                await Key("keyUp", letter, modifiers: 2);
                continue;
            }
            foreach (var key in parts)
                await Key(key is " " or "Enter" ? "keyDown" : "rawKeyDown", key);
            foreach (var key in parts)
                await Key("keyUp", key);
        }
    }

    public async ValueTask DisposeAsync() => await browser.SendAsync("Target.disposeBrowserContext", new { browserContextId = context });

    private Task<JsonElement> Mouse(string type, double x, double y) => SendAsync("Input.dispatchMouseEvent", new { type, x, y, button = "left", buttons = type == "mouseReleased" ? 0 : 1, clickCount = 1, pointerType = "mouse" });

    private Task<JsonElement> Touch(string type, (double X, double Y)? point) => SendAsync("Input.dispatchTouchEvent", new { type, touchPoints = point is { } at ? [new { x = at.X, y = at.Y }] : Array.Empty<object>() });

    private Task<JsonElement> Key(string type, string key, int modifiers = 0)
    {
        var name = key switch { "Left" or "Right" or "Up" or "Down" => $"Arrow{key}", _ => key };
        return SendAsync("Input.dispatchKeyEvent", new { type, key = name, code = name == " " ? "Space" : name, text = type != "keyDown" ? "" : name == " " ? " " : "\r", windowsVirtualKeyCode = Keys[name], modifiers });
    }
}
