using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MLExtensions.Examples.Serving;
using Microsoft.AspNetCore.Builder;

namespace MLExtensions.Tests.Serving;

/// <summary>Both protocols of the server example, and what it says of requests that are wrong.</summary>
[TestClass]
public sealed class ServerTests
{
    private static readonly HttpClient Client = new();
    private static TemporaryFolder _folder = null!;
    private static WebApplication _server = null!;

    [ClassInitialize]
    public static async Task Start(TestContext context)
    {
        _folder = new TemporaryFolder();
        ServedSample.Write(_folder.File("point", "1", "model.zip"));
        ServedSample.Write(_folder.File("point", "2", "model.zip"), other: true);
        ServedSample.Write(_folder.File("flat.zip"));
        _server = await StartAsync(new ServerOptions { Models = _folder.Path, BodyLimit = 100_000 });
    }

    [ClassCleanup]
    public static async Task Stop()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [TestMethod]
    public async Task OpenInference_Answers()
    {
        var answer = await PostAsync("/v2/models/flat/infer", """{"id":"7","inputs":[{"name":"Features","shape":[2,2],"datatype":"FP32","data":[[1,0],[0.25, 1e0]]}],"outputs":[{"name":"Score"}]}""");
        Assert.AreEqual("7", answer.GetProperty("id").GetString());
        Assert.AreEqual("flat", answer.GetProperty("model_name").GetString());
        var score = answer.GetProperty("outputs").EnumerateArray().Single();
        Assert.AreEqual("[2,2]", score.GetProperty("shape").GetRawText());
        Assert.AreEqual("FP32", score.GetProperty("datatype").GetString());
        AssertScores([.. ServedSample.Scores(1, 0), .. ServedSample.Scores(0.25f, 1)], score.GetProperty("data"));
        // The data before its name, and flat.
        var same = await PostAsync("/v2/models/flat/versions/1/infer", """{"inputs":[{"data":[1,0,0.25,1],"datatype":"FP64","shape":[2,2],"name":"Features"}]}""");
        Assert.AreEqual(score.GetProperty("data").GetRawText(), same.GetProperty("outputs").EnumerateArray().Single(each => each.GetProperty("name").GetString() == "Score").GetProperty("data").GetRawText());
        Assert.AreEqual("BYTES", same.GetProperty("outputs").EnumerateArray().Single(each => each.GetProperty("name").GetString() == "PredictedLabel").GetProperty("datatype").GetString());
    }

    [TestMethod]
    public async Task TensorFlow_Answers()
    {
        var expected = ServedSample.Scores(1, 0);
        var rows = await PostAsync("/v1/models/flat:predict", """{"signature_name":"serving_default","instances":[[1,0],{"Features":[1,0]}]}""");
        foreach (var row in rows.GetProperty("predictions").EnumerateArray())
        {
            AssertScores(expected, row.GetProperty("Score"));
            Assert.AreEqual(expected[0] >= expected[1] ? "even" : "odd", row.GetProperty("PredictedLabel").GetString());
        }
        var columns = await PostAsync("/v1/models/flat:predict", """{"inputs":{"Features":[[1,0],[0,1]]}}""");
        AssertScores(expected, columns.GetProperty("outputs").GetProperty("Score")[0]);
        Assert.AreEqual(2, columns.GetProperty("outputs").GetProperty("PredictedLabel").GetArrayLength());
        AssertScores(expected, (await PostAsync("/v1/models/flat:predict", """{"inputs":[[1,0]]}""")).GetProperty("outputs").GetProperty("Score")[0]);
    }

    [TestMethod]
    public async Task Versions_TheLastOneUnlessAsked()
    {
        const string Row = """{"instances":[[1,0]]}""";
        AssertScores(ServedSample.Scores(1, 0, other: true), (await PostAsync("/v1/models/point:predict", Row)).GetProperty("predictions")[0].GetProperty("Score"));
        AssertScores(ServedSample.Scores(1, 0), (await PostAsync("/v1/models/point/versions/1:predict", Row)).GetProperty("predictions")[0].GetProperty("Score"));
        Assert.AreEqual("""["1","2"]""", (await GetAsync("/v2/models/point")).GetProperty("versions").GetRawText());
        Assert.AreEqual(2, (await GetAsync("/v1/models/point")).GetProperty("model_version_status").GetArrayLength());
    }

    [TestMethod]
    public async Task Metadata_IsThatOfTheModel()
    {
        Assert.AreEqual("""[{"name":"Features","datatype":"FP32","shape":[-1,2]}]""", (await GetAsync("/v2/models/flat")).GetProperty("inputs").GetRawText());
        var score = (await GetAsync("/v2/models/flat")).GetProperty("outputs").EnumerateArray().Single(output => output.GetProperty("name").GetString() == "Score");
        Assert.AreEqual("""{"names":["even","odd"]}""", score.GetProperty("parameters").GetRawText());
        var signature = (await GetAsync("/v1/models/flat/metadata")).GetProperty("metadata").GetProperty("signature_def").GetProperty("signature_def").GetProperty("serving_default");
        Assert.AreEqual("DT_FLOAT", signature.GetProperty("inputs").GetProperty("Features").GetProperty("dtype").GetString());
        Assert.IsTrue((await GetAsync("/v2/health/live")).GetProperty("live").GetBoolean());
        Assert.IsTrue((await GetAsync("/v2/health/ready")).GetProperty("ready").GetBoolean());
        Assert.IsTrue((await GetAsync("/v2/models/flat/ready")).GetProperty("ready").GetBoolean());
        Assert.IsTrue((await GetAsync("/v2")).TryGetProperty("extensions", out _));
        Assert.AreEqual(3, (await GetAsync("/")).GetProperty("models").GetArrayLength());
        var instances = (await GetAsync("/openapi.json")).GetProperty("paths").GetProperty("/v1/models/flat:predict").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("properties").GetProperty("instances");
        Assert.AreEqual(2, instances.GetProperty("items").GetProperty("maxItems").GetInt32());
        Assert.Contains("mlextensions_serving_requests", await Client.GetStringAsync(Url("/metrics")));
    }

    [TestMethod]
    [DataRow("", 400)]
    [DataRow("{", 400)]
    [DataRow("[1]", 400)]
    [DataRow("null", 400)]
    [DataRow("{}", 400)]
    [DataRow("""{"instances":[]}""", 400)]
    [DataRow("""{"instances":[[1]]}""", 400)]
    [DataRow("""{"instances":[[1,2,3]]}""", 400)]
    [DataRow("""{"instances":[[1,]]}""", 400)]
    [DataRow("""{"instances":[[1 2]]}""", 400)]
    [DataRow("""{"instances":[[,1]]}""", 400)]
    [DataRow("""{"instances":[[1,NaN]]}""", 400)]
    [DataRow("""{"instances":[[1,null]]}""", 400)]
    [DataRow("""{"instances":[[1,"2"]]}""", 400)]
    [DataRow("""{"instances":[[1,1e99]]}""", 400)]
    [DataRow("""{"instances":[1,2]}""", 400)]
    [DataRow("""{"instances":[{"Feature":[1,2]}]}""", 400)]
    [DataRow("""{"instances":[{}]}""", 400)]
    [DataRow("""{"instances":[[1,2]],"inputs":[[1,2]]}""", 400)]
    [DataRow("""{"instances":[[1,2]]}}""", 400)]
    [DataRow("""{"instances":[[1,2""", 400)]
    [DataRow("""{"instances":[[[[[[[[[[[[[[[[[[[[1,2]]]]]]]]]]]]]]]]]]]]}""", 400)]
    public async Task WrongRows_AreRefused(string body, int status) => await RefusedAsync(status, "/v1/models/flat:predict", body);

    [TestMethod]
    [DataRow("""{"inputs":[]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[1,2],"datatype":"FP32"}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[1,2],"data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[1,2],"datatype":"BYTES","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[1,3],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[2,1],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[-1,-2],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[4000000000,4000000000],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Other","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"shape":[1,2],"datatype":"FP32","data":[1,2]}]}""")]
    [DataRow("""{"inputs":[{"name":"Features","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"Scores"}]}""")]
    [DataRow("""{"inputs":{"name":"Features"}}""")]
    public async Task WrongTensors_AreRefused(string body) => await RefusedAsync(400, "/v2/models/flat/infer", body);

    [TestMethod]
    public async Task WrongPathsMethodsAndSizes_AreRefused()
    {
        const string Row = """{"instances":[[1,0]]}""";
        Assert.Contains("flat", await RefusedAsync(404, "/v1/models/none:predict", Row));
        Assert.Contains("it has 1, 2", await RefusedAsync(404, "/v1/models/point/versions/3:predict", Row));
        await RefusedAsync(404, "/v1/models/flat:classify", Row);
        await RefusedAsync(404, "/v2/models/flat/explain", Row);
        await RefusedAsync(405, "/v2/models/flat", Row);
        await RefusedAsync(405, "/", Row);
        await RefusedAsync(413, "/v1/models/flat:predict", new string(' ', 100_001));
        using var get = await Client.GetAsync(Url("/v1/models/flat:predict"));
        Assert.AreEqual(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        using var packed = new StringContent(Row);
        packed.Headers.ContentEncoding.Add("gzip");
        using var refused = await Client.PostAsync(Url("/v1/models/flat:predict"), packed);
        Assert.AreEqual(HttpStatusCode.UnsupportedMediaType, refused.StatusCode);
    }

    [TestMethod]
    public async Task FullQueueAndTimeLimit_AreSaid()
    {
        await using var server = await StartAsync(new ServerOptions { Models = _folder.Path, ApiKey = "secret", Prediction = new() { Window = TimeSpan.FromSeconds(10), QueueCapacity = 1, TimeLimit = TimeSpan.FromMilliseconds(300) } });
        var url = server.Urls.First() + "/v1/models/flat:predict";
        using var keyless = await Client.PostAsync(url, new StringContent("{}"));
        Assert.AreEqual(HttpStatusCode.Unauthorized, keyless.StatusCode);
        async Task<HttpResponseMessage> Ask()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent("""{"instances":[[1,0]]}""") };
            request.Headers.Add("X-API-Key", "secret");
            return await Client.SendAsync(request);
        }
        var answers = await Task.WhenAll(Ask(), Ask());
        CollectionAssert.AreEquivalent(new[] { HttpStatusCode.GatewayTimeout, HttpStatusCode.TooManyRequests }, answers.Select(answer => answer.StatusCode).ToArray());
        Assert.IsNotNull(answers.Single(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).Headers.RetryAfter);
    }

    [TestMethod]
    public async Task Folder_NewAndRemovedVersions_AreNoticed()
    {
        using var folder = new TemporaryFolder();
        ServedSample.Write(folder.File("m", "1", "model.zip"));
        await using var server = await StartAsync(new ServerOptions { Models = folder.Path, WatchInterval = TimeSpan.FromMilliseconds(20) });
        var url = server.Urls.First() + "/v2/models/m";
        ServedSample.Write(folder.File("m", "2", "model.zip"), other: true);
        File.WriteAllText(folder.File("broken.zip"), "not a model");
        await WaitForAsync("\"1\",\"2\"");
        Directory.Delete(Path.Combine(folder.Path, "m", "1"), recursive: true);
        await WaitForAsync("[\"2\"]");

        async Task WaitForAsync(string text)
        {
            var answer = "";
            for (var i = 0; i < 500 && !answer.Contains(text, StringComparison.Ordinal); i++)
            {
                await Task.Delay(20);
                answer = await Client.GetStringAsync(url);
            }
            Assert.Contains(text, answer);
        }
    }

    [TestMethod]
    public async Task Pad_NeedsNoKeyAndLoadsNothingFromElsewhere()
    {
        await using var server = await StartAsync(new ServerOptions { Models = _folder.Path, ApiKey = "secret" });
        var url = server.Urls.First() + "/pad/";
        using var page = await Client.GetAsync(url);
        Assert.AreEqual(HttpStatusCode.OK, page.StatusCode);
        Assert.AreEqual("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("default-src 'none'; script-src 'self';", page.Headers.GetValues("Content-Security-Policy").Single());
        var text = await page.Content.ReadAsStringAsync();
        Assert.DoesNotContain("://", text);
        Assert.DoesNotContain("style=", text);
        foreach (var file in new[] { "main.js", "pad.css", "icon.svg" })
        {
            Assert.Contains(file, text);
            using var part = await Client.GetAsync(url + file);
            Assert.AreEqual(HttpStatusCode.OK, part.StatusCode, file);
            using var again = new HttpRequestMessage(HttpMethod.Get, url + file) { Headers = { IfNoneMatch = { part.Headers.ETag! } } };
            using var unchanged = await Client.SendAsync(again);
            Assert.AreEqual(HttpStatusCode.NotModified, unchanged.StatusCode, file);
        }
        using var slashless = await Client.GetAsync(url[..^1]);
        Assert.AreEqual(url, slashless.RequestMessage!.RequestUri!.ToString());
        using var missing = await Client.GetAsync(url + "../pad/none.js");
        Assert.AreEqual(HttpStatusCode.NotFound, missing.StatusCode);
        using var post = await Client.PostAsync(url, null);
        Assert.AreEqual(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        using var model = await Client.GetAsync(server.Urls.First() + "/v2/models/flat");
        Assert.AreEqual(HttpStatusCode.Unauthorized, model.StatusCode);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task ConnectionThatIsThere_IsAnsweredWhileTheServerEnds()
    {
        await using var server = ModelServer.Build(new ServerOptions { Models = _folder.Path, Url = "http://127.0.0.1:0", Drain = TimeSpan.FromSeconds(1) });
        await server.StartAsync();
        using var link = new TcpClient();
        await link.ConnectAsync(IPAddress.Loopback, new Uri(server.Urls.First()).Port);
        var ending = Task.Run(() => server.StopAsync());
        while (!server.Lifetime.ApplicationStopping.IsCancellationRequested)
            await Task.Delay(1);
        var stream = link.GetStream();
        await stream.WriteAsync("GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        var answer = await new StreamReader(stream).ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 200", answer);
        Assert.Contains("Connection: close", answer);
        await ending;
    }

    [TestMethod]
    public void Arguments_AreChecked()
    {
        Assert.AreEqual(3, ServerOptions.Parse(["--models", _folder.Path, "--block", "3", "--latest-only"], TextWriter.Null)?.Prediction.MaximumBlockRows);
        foreach (var args in new[] { "", "--models", "--models /nowhere", "--models . --block 0", "--models . --what 1", "--models . --url here", "--help" })
        {
            var output = new StringWriter();
            Assert.IsNull(ServerOptions.Parse(args.Split(' ', StringSplitOptions.RemoveEmptyEntries), output), args);
            Assert.AreNotEqual("", output.ToString());
        }
    }

    [TestMethod]
    public async Task TextThatIsNotUtf8_IsRefused()
    {
        foreach (var (path, body) in new[] { ("/v2/models/flat/infer", """{"inputs":[{"name":"F?"}]}"""), ("/v1/models/flat:predict", """{"instances":[{"F?":[1,0]}]}""") })
        {
            var bytes = Encoding.ASCII.GetBytes(body);
            bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;
            using var answer = await Client.PostAsync(Url(path), new ByteArrayContent(bytes));
            Assert.AreEqual(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("not UTF-8", await answer.Content.ReadAsStringAsync());
        }
    }

    private static async Task<WebApplication> StartAsync(ServerOptions options)
    {
        var server = ModelServer.Build(options with { Url = "http://127.0.0.1:0", Drain = TimeSpan.Zero });
        await server.StartAsync();
        return server;
    }

    private static string Url(string path) => _server.Urls.First() + path;

    private static async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await Client.GetStringAsync(Url(path))).RootElement;

    private static async Task<JsonElement> PostAsync(string path, string body)
    {
        using var answer = await Client.PostAsync(Url(path), new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.AreEqual(HttpStatusCode.OK, answer.StatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static async Task<string> RefusedAsync(int status, string path, string body)
    {
        using var answer = await Client.PostAsync(Url(path), new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.AreEqual(status, (int)answer.StatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!;
    }

    private static void AssertScores(float[] expected, JsonElement scores) =>
        CollectionAssert.AreEqual(expected, scores.EnumerateArray().Select(score => score.GetSingle()).ToArray(), BatchedPredictorTests.Close);
}
