using Microsoft.ML;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>Loads saved models.</summary>
internal static class ModelFile
{
    /// <summary>Loads a model.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or no model; the message names it and says what is wrong, in one line.</exception>
    public static ITransformer Load(MLContext mlContext, string path)
    {
        try
        {
            return mlContext.Model.Load(path, out _);
        }
        catch (Exception e) when (e is not (OperationCanceledException or FileNotFoundException or DirectoryNotFoundException or TorchNotAvailableException))
        {
            // ML.NET wraps what a loader throws several times, each time with words of its own.
            var cause = e;
            while (cause is not ModelFormatException && cause.InnerException is { } inner)
                cause = inner;
            throw new InvalidDataException($"'{path}' cannot be loaded: {cause.Message}", e);
        }
    }
}
