using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MLExtensions.Serving.Models;

/// <summary>
/// Loads a model before the application takes requests: what is wrong with the file, or a missing libtorch, ends the start instead of the first request.
/// </summary>
internal sealed class LoadingAtStart(IServiceProvider services, string name) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = services.GetRequiredKeyedService<BatchedPredictor>(name);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
