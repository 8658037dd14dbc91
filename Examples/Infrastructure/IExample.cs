namespace MLExtensions.Examples.Infrastructure;

/// <summary>A command of this program.</summary>
internal interface IExample
{
    /// <summary>The command, and the folder of its files in <c>out/</c>.</summary>
    string Name { get; }

    /// <summary>What the lists and <c>--help</c> say about it.</summary>
    ExampleHelp Help { get; }

    IReadOnlyList<ExampleOption> Options { get; }

    /// <summary>The words that it takes besides options, or null.</summary>
    ExampleWords? Words => null;

    /// <summary>Runs the example and returns its figures, which the program prints last.</summary>
    ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken);
}

/// <summary>What <c>--help</c> says about an example besides its options.</summary>
/// <param name="Summary">What it does, in one plain sentence.</param>
/// <param name="Data">The data that it needs and where it looks for it.</param>
/// <param name="Duration">About how long it takes, on two cores of 2.8 GHz unless it says otherwise.</param>
/// <param name="Files">What it leaves in its output folder, or null if it leaves nothing.</param>
internal sealed record ExampleHelp(string Summary, string Data, string Duration, string? Files);

/// <summary>What an example takes besides its options: words such as names of files.</summary>
/// <param name="Placeholder">What stands for the words in the list, such as <c>FILE...</c>.</param>
/// <param name="Description">What they are for.</param>
/// <param name="Most">How many there may be. There must be at least one.</param>
internal sealed record ExampleWords(string Placeholder, string Description, int Most = int.MaxValue);
