using System.Net.Http.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using MLExtensions.Snippets;

[assembly: HostingStartup(typeof(ServerProbe.Startup))]

namespace MLExtensions.Snippets;

/// <summary>While there is one, each web application that is started gets a request to /predict once it listens, and is stopped.</summary>
internal sealed class ServerProbe : IDisposable
{
    private const string Variable = "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES";
    private static readonly List<string> Answers = [];

    /// <summary>Arguments of a program whose server is to take any port that is free, and to be silent.</summary>
    public static string[] Arguments => ["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default=None"];

    public static ServerProbe Start()
    {
        Answers.Clear();
        Environment.SetEnvironmentVariable(Variable, typeof(ServerProbe).Assembly.GetName().Name);
        return new ServerProbe();
    }

    /// <summary>Checks that a block which runs an application has answered a request.</summary>
    public void Check(Snippet snippet)
    {
        if (snippet.Has("app.Run()"))
            Assert.StartsWith("OK {\"predictedLabel\":", string.Join('\n', Answers));
    }

    public void Dispose() => Environment.SetEnvironmentVariable(Variable, null);

    internal sealed class Startup : IHostingStartup
    {
        public void Configure(IWebHostBuilder builder) => builder.ConfigureServices(services => services.AddHostedService<Probe>());
    }

    private sealed class Probe(IServer server, IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task;
            try
            {
                var address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
                using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(30) };
                using var response = await client.PostAsJsonAsync("/predict", new { features = new float[64] }, stoppingToken);
                var answer = await response.Content.ReadAsStringAsync(stoppingToken);
                Answers.Add($"{response.StatusCode} {answer}");
            }
            catch (Exception e)
            {
                Answers.Add(e.ToString());
            }
            finally
            {
                lifetime.StopApplication();
            }
        }
    }
}
