using System.Globalization;

namespace MLExtensions.Examples.Serving.Models;

/// <summary>A loaded version of a model.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Version">The version, from 1; 1 where the folder has none.</param>
/// <param name="Predictor">The model.</param>
internal sealed record LoadedModel(string Name, int Version, BatchedPredictor Predictor)
{
    public string VersionText { get; } = Version.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The models in a folder: NAME/VERSION/model.zip, NAME/model.zip or NAME.zip. Thread-safe.</summary>
internal sealed class ModelFolder(ServerOptions options, ILogger<ModelFolder> logger, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly Dictionary<string, (long, DateTime)> _seen = new(StringComparer.Ordinal);
    private readonly HashSet<(string, (long, DateTime))> _tried = [];
    private volatile IReadOnlyDictionary<string, LoadedModel[]> _models = new Dictionary<string, LoadedModel[]>(StringComparer.Ordinal);

    /// <summary>The names, and the loaded versions of each in ascending order.</summary>
    public IReadOnlyDictionary<string, LoadedModel[]> Models => _models;

    /// <summary>Finds a model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">Its version; null for the last one.</param>
    /// <returns>Null if it is not there.</returns>
    public LoadedModel? Find(string name, string? version = null)
    {
        if (!_models.TryGetValue(name, out var versions))
            return null;
        return version == null ? versions[^1] : Array.Find(versions, each => each.VersionText == version);
    }

    /// <summary>Loads what is new and takes out what is gone. A changed file is the matter of its predictor.</summary>
    /// <param name="waits">Whether a file must have been seen before: one that is being written is not loaded.</param>
    public async Task ScanAsync(bool waits)
    {
        var files = FindFiles();
        var before = _models.Values.SelectMany(versions => versions).ToDictionary(model => (model.Name, model.Version));
        var after = new List<LoadedModel>();
        foreach (var (key, path) in files)
        {
            if (before.Remove(key, out var loaded))
                after.Add(loaded);
            else if (TryLoad(key.Name, key.Version, path, waits) is { } added)
                after.Add(added);
        }
        _models = after.GroupBy(model => model.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.OrderBy(model => model.Version).ToArray(), StringComparer.Ordinal);
        foreach (var gone in before.Values)
        {
            logger.LogInformation("The model {Model}, version {Version}, is gone", gone.Name, gone.Version);
            await gone.Predictor.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var model in _models.Values.SelectMany(versions => versions))
            await model.Predictor.DisposeAsync();
    }

    private Dictionary<(string Name, int Version), string> FindFiles()
    {
        var found = new Dictionary<(string Name, int Version), string>();
        foreach (var file in Directory.EnumerateFiles(options.Models, "*.zip"))
            found[(Path.GetFileNameWithoutExtension(file), 1)] = file;
        foreach (var folder in Directory.EnumerateDirectories(options.Models))
        {
            var name = Path.GetFileName(folder);
            if (File.Exists(Path.Combine(folder, "model.zip")))
                found[(name, 1)] = Path.Combine(folder, "model.zip");
            foreach (var version in Directory.EnumerateDirectories(folder))
            {
                if (int.TryParse(Path.GetFileName(version), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && File.Exists(Path.Combine(version, "model.zip")))
                    found[(name, number)] = Path.Combine(version, "model.zip");
            }
        }
        return options.LatestOnly
            ? found.GroupBy(file => file.Key.Name).Select(group => group.MaxBy(file => file.Key.Version)).ToDictionary(file => file.Key, file => file.Value)
            : found;
    }

    private LoadedModel? TryLoad(string name, int version, string path, bool waits)
    {
        try
        {
            var file = new FileInfo(path);
            var stamp = (file.Length, file.LastWriteTimeUtc);
            var isKnown = _seen.TryGetValue(path, out var seen) && seen == stamp;
            _seen[path] = stamp;
            if (waits && !isKnown)
                return null;
            if (!_tried.Add((path, stamp)))
                return null; // a broken one is tried again when it has changed
            var shown = version == 1 ? name : FormattableString.Invariant($"{name}/{version}");
            var watch = options.WatchInterval > TimeSpan.Zero ? options.WatchInterval : (TimeSpan?)null;
            var predictor = BatchedPredictor.Load(path, options.Prediction with { WatchInterval = watch }, shown, loggers.CreateLogger<BatchedPredictor>());
            _tried.Remove((path, stamp));
            return new LoadedModel(name, version, predictor);
        }
        catch (Exception e)
        {
            logger.LogError(e, "The model {Model}, version {Version}, cannot be served: {Path}", name, version, path);
            return null;
        }
    }
}

/// <summary>Looks at the folder when the server starts, and from then on at intervals.</summary>
internal sealed class ModelFolderWatch(ModelFolder folder, ServerOptions options, ILogger<ModelFolderWatch> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await folder.ScanAsync(waits: false);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.WatchInterval <= TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(options.WatchInterval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await folder.ScanAsync(waits: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                logger.LogWarning(e, "The folder of the models cannot be read; what is loaded goes on");
            }
        }
    }
}
