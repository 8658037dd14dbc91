using MLExtensions.Examples.Serving.Http;
using MLExtensions.Examples.Serving.Models;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenTelemetry.Metrics;

namespace MLExtensions.Examples.Serving;

/// <summary>Puts the server together.</summary>
internal static class ModelServer
{
    /// <summary>Loads the models and returns the server, which does not listen yet.</summary>
    public static WebApplication Build(ServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var last = new LastConnections(options);
        builder.WebHost.UseUrls(options.Url).ConfigureKestrel(kestrel => Limit(kestrel, options)).UseSockets(sockets => sockets.CreateBoundListenSocket = last.Bind);
        builder.Logging.ClearProviders().AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        if (options.JsonLog)
            builder.Logging.AddJsonConsole();
        else
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Prediction.TimeLimit + TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<ModelFolder>();
        builder.Services.AddSingleton<ServerMetrics>();
        builder.Services.AddHostedService<ModelFolderWatch>();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("MLExtensions.Serving", ServerMetrics.MeterName, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());

        var app = builder.Build();
        app.Lifetime.ApplicationStopping.Register(last.LetIn);
        var router = new Router(options, app.Services.GetRequiredService<ModelFolder>(), app.Services.GetRequiredService<ServerMetrics>(), app.Lifetime, app.Services.GetRequiredService<ILogger<Router>>());
        app.Use(next => context => router.HandleAsync(context, next));
        app.UseOpenTelemetryPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    private static void Limit(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = options.BodyLimit;
        kestrel.Limits.MaxConcurrentConnections = options.Connections;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
    }
}
