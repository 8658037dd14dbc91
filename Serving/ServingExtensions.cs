using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MLExtensions.Serving.Models;

namespace MLExtensions;

/// <summary>Adds served models to an application.</summary>
public static class ServingExtensions
{
    /// <summary>
    /// Adds a <see cref="BatchedPredictor"/> under a key, <c>[FromKeyedServices("name")]</c>, and without one if it is the first. It is loaded when the
    /// application starts, or when it is asked for, and disposed with the application. A model that cannot be loaded ends the start.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="name">The key, and the name of the model in metrics and log.</param>
    /// <param name="path">The file of the model.</param>
    /// <param name="options">How it is served; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static IServiceCollection AddNetworkModel(this IServiceCollection services, string name, string path, BatchedPredictorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        options ??= new BatchedPredictorOptions();
        options.Check();
        services.AddKeyedSingleton(name, (provider, _) =>
            BatchedPredictor.Load(path, options, name, provider.GetService<ILoggerFactory>()?.CreateLogger<BatchedPredictor>()));
        services.AddSingleton<IHostedService>(provider => new LoadingAtStart(provider, name));
        if (!services.Any(service => service.ServiceType == typeof(BatchedPredictor) && !service.IsKeyedService))
            services.AddSingleton(provider => provider.GetRequiredKeyedService<BatchedPredictor>(name));
        return services;
    }
}
