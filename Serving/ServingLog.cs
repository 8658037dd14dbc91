using Microsoft.Extensions.Logging;

namespace MLExtensions.Serving;

/// <summary>What is logged.</summary>
internal static partial class ServingLog
{
    [LoggerMessage(1, LogLevel.Information, "Loaded the model {Model} from {Path} in {Milliseconds:F0} ms")]
    public static partial void Loaded(this ILogger logger, string model, string path, double milliseconds);

    [LoggerMessage(2, LogLevel.Error, "The new file {Path} of the model {Model} cannot be served; the old one goes on")]
    public static partial void NotReloaded(this ILogger logger, string model, string path, Exception exception);


    [LoggerMessage(4, LogLevel.Error, "A request to the model {Model} failed")]
    public static partial void Failed(this ILogger logger, string model, Exception exception);
}
