namespace MLExtensions.Examples.Infrastructure;

/// <summary>An option of an example, <c>--name value</c>, or <c>--name</c> alone.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Placeholder">What stands for the value in the list, such as <c>N</c>; empty where the option takes no value.</param>
/// <param name="Description">What it is for, with the unit, as a sentence.</param>
/// <param name="Default">The value where none is given, or null.</param>
/// <param name="DefaultText">What stands for a default value where there is none, such as <c>all cores</c>.</param>
internal sealed record ExampleOption(string Name, string Placeholder, string Description, string? Default = null, string? DefaultText = null)
{
    /// <summary>Whether the option takes no value.</summary>
    public bool IsFlag => Placeholder == "";

    public string Usage => IsFlag ? $"--{Name}" : $"--{Name} {Placeholder}";

    /// <summary>The description and the default.</summary>
    public string Help => (Default ?? DefaultText) is { } text ? $"{Description} Default: {text}." : Description;

    /// <summary>An option without a value.</summary>
    public static ExampleOption Flag(string name, string description) => new(name, "", description);

    /// <summary>The seed that everything random in an example depends on.</summary>
    public static ExampleOption Seed { get; } = new("seed", "N", "Seed of everything random.", "1");

    /// <summary>The number of threads in training.</summary>
    public static ExampleOption Threads { get; } = new("threads", "N", "Number of CPU threads.", DefaultText: "chosen by libtorch, at most one per core");

    /// <summary>Whether to go on with a training that was interrupted; see <see cref="OutputFolder.KeepEpochs"/>.</summary>
    public static ExampleOption Resume { get; } = Flag("resume", "Continues after the last epoch of a training that was interrupted.");
}
