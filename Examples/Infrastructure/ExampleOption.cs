namespace MLExtensions.Examples.Infrastructure;

/// <summary>An option of an example, <c>--name value</c>, or <c>--name</c> alone.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Placeholder">What stands for the value in the list, such as <c>N</c>; empty where the option takes no value.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Default">The value where none is given, or null.</param>
internal sealed record ExampleOption(string Name, string Placeholder, string Description, string? Default = null)
{
    /// <summary>Whether the option is given or not, and takes no value.</summary>
    public bool IsFlag => Placeholder == "";

    public string Usage => IsFlag ? $"--{Name}" : $"--{Name} {Placeholder}";

    /// <summary>An option without a value.</summary>
    public static ExampleOption Flag(string name, string description) => new(name, "", description);
}
