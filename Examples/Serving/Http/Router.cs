using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MLExtensions.Examples.Serving.Models;
using MLExtensions.Examples.Serving.Protocols;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>Finds what a request asks for, and says what is wrong with it.</summary>
internal sealed class Router(ServerOptions options, ModelFolder folder, ServerMetrics metrics, IHostApplicationLifetime lifetime, ILogger<Router> logger)
{
    private const string V2 = "/v2";
    private const string V2Models = "/v2/models/";
    private const string V1Models = "/v1/models/";

    private readonly byte[]? _key = options.ApiKey is { } key ? Encoding.UTF8.GetBytes(key) : null;
    private readonly Inference _inference = new(options, folder);

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">Takes what is not for the models: the metrics.</param>
    public async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested && HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Connection = "close"; // else a client could send its next request into a connection that is being closed
        try
        {
            await RouteAsync(context, next);
        }
        catch (Exception e)
        {
            Explain(context, e);
        }
        metrics.Count(context.Response.StatusCode);
    }

    private Task RouteAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value ?? "";
        if (PadFiles.Has(path))
        {
            RequireGet(context);
            return PadFiles.WriteAsync(context);
        }
        if (_key != null && path is not "/v2/health/live" and not "/v2/health/ready")
            CheckKey(context.Request);
        if (path.StartsWith(V2Models, StringComparison.Ordinal))
            return OpenInferenceAsync(context, path[V2Models.Length..]);
        if (path.StartsWith(V1Models, StringComparison.Ordinal))
            return TensorFlowAsync(context, path[V1Models.Length..]);
        if (path == "/metrics")
            return next(context);
        RequireGet(context);
        switch (path)
        {
            case "/v2/health/live":
                JsonAnswer.Write(context.Response, 200, true, OpenInference.WriteLive);
                break;
            case "/v2/health/ready":
                var isReady = folder.Models.Count > 0 && !lifetime.ApplicationStopping.IsCancellationRequested;
                JsonAnswer.Write(context.Response, isReady ? 200 : 503, isReady, OpenInference.WriteReady);
                break;
            case V2:
                JsonAnswer.Write(context.Response, 200, true, OpenInference.WriteServer);
                break;
            case "/":
                JsonAnswer.Write(context.Response, 200, folder.Models, ModelList.Write);
                break;
            case "/openapi.json":
                JsonAnswer.Write(context.Response, 200, folder.Models, OpenApiDocument.Write);
                break;
            default:
                throw RequestException.NotFound($"There is nothing at {path}. GET / lists the models, GET /openapi.json says how they are asked, {PadFiles.Path} is a page to try them.");
        }
        return Task.CompletedTask;
    }

    private Task OpenInferenceAsync(HttpContext context, string path)
    {
        var parts = path.Split('/');
        var (version, action) = parts switch
        {
            [_] => (null, ""),
            [_, "versions", var number] => (number, ""),
            [_, "versions", var number, var asked] => (number, asked),
            [_, var asked] => (null, asked),
            _ => throw RequestException.NotFound($"There is nothing at {V2Models}{path}."),
        };
        var model = Find(parts[0], version);
        switch (action)
        {
            case "infer":
                RequirePost(context);
                return _inference.AnswerAsync(context, model, version != null, OpenInference.Instance);
            case "":
                RequireGet(context);
                JsonAnswer.Write(context.Response, 200, (folder, model), OpenInference.WriteMetadata);
                return Task.CompletedTask;
            case "ready":
                RequireGet(context);
                JsonAnswer.Write(context.Response, 200, model, OpenInference.WriteModelReady);
                return Task.CompletedTask;
            default:
                throw RequestException.NotFound($"'{action}' is not known; a model can be asked for infer, ready, or its metadata.");
        }
    }

    private Task TensorFlowAsync(HttpContext context, string path)
    {
        var colon = path.LastIndexOf(':');
        var parts = (colon < 0 ? path : path[..colon]).Split('/');
        var (version, action) = parts switch
        {
            [_] => (null, ""),
            [_, "versions", var number] => (number, ""),
            [_, "versions", var number, "metadata"] => (number, "metadata"),
            [_, "metadata"] => (null, "metadata"),
            _ => throw RequestException.NotFound($"There is nothing at {V1Models}{path}."),
        };
        if (colon >= 0)
        {
            if (action.Length > 0 || path[(colon + 1)..] != "predict")
                throw RequestException.NotFound($"'{path[(colon + 1)..]}' is not known; a model can be asked for :predict.");
            RequirePost(context);
            return _inference.AnswerAsync(context, Find(parts[0], version), version != null, TensorFlow.Instance);
        }
        RequireGet(context);
        var model = Find(parts[0], version);
        if (action.Length > 0)
            JsonAnswer.Write(context.Response, 200, model, TensorFlow.WriteMetadata);
        else
            JsonAnswer.Write(context.Response, 200, version == null ? folder.Models[model.Name] : [model], TensorFlow.WriteStatus);
        return Task.CompletedTask;
    }

    private LoadedModel Find(string name, string? version)
    {
        if (folder.Find(name, version) is { } model)
            return model;
        throw RequestException.NotFound(folder.Find(name) == null
            ? $"There is no model '{name}'; there are {string.Join(", ", folder.Models.Keys)}."
            : $"The model '{name}' has no version '{version}'; it has {string.Join(", ", folder.Models[name].Select(each => each.VersionText))}.");
    }

    private void CheckKey(HttpRequest request)
    {
        var given = request.Headers["X-API-Key"].ToString();
        const string Scheme = "Bearer ";
        if (given.Length == 0 && request.Headers.Authorization.ToString() is var bearer && bearer.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            given = bearer[Scheme.Length..];
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), _key))
            throw new RequestException(401, "The key is missing or wrong: X-API-Key, or Authorization: Bearer.");
    }

    private static void RequireGet(HttpContext context) => Require(context, HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method), "GET");

    private static void RequirePost(HttpContext context) => Require(context, HttpMethods.IsPost(context.Request.Method), "POST");

    private static void Require(HttpContext context, bool isIt, string method)
    {
        if (isIt)
            return;
        context.Response.Headers.Allow = method;
        throw new RequestException(405, $"{context.Request.Path} takes {method}, not {context.Request.Method}.");
    }

    private void Explain(HttpContext context, Exception exception)
    {
        if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            context.Response.StatusCode = context.Response.HasStarted ? context.Response.StatusCode : 499;
            return;
        }
        var (status, message) = exception switch
        {
            RequestException e => (e.Status, e.Message),
            BadHttpRequestException e => (e.StatusCode, e.Message),
            JsonException e => (400, FormattableString.Invariant($"The body is not JSON: {e.Message}")),
            PredictionQueueFullException e => (429, e.Message),
            TimeoutException e => (504, e.Message),
            ObjectDisposedException => (503, "The model is being taken out of service."),
            ArgumentException or FormatException => (400, exception.Message),
            _ => (500, "The model could not score the request; the log says why."),
        };
        if (status == 500)
            logger.LogError(exception, "{Path} failed", context.Request.Path);
        if (status == 429)
            context.Response.Headers.RetryAfter = "1";
        JsonAnswer.WriteError(context.Response, status, message);
    }
}
