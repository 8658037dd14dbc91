using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>Which of a folder's images are good, as far as they have been looked at. Thread-safe.</summary>
internal sealed class ImageFiles(IHost host, ImageFolder folder, BadImages onBadImage)
{
    private enum State : byte
    {
        Unknown,
        Good,
        Bad,
    }

    private readonly State[] _states = new State[folder.Paths.Length];

    public ImageFolder Folder => folder;

    public bool SkipsBad => onBadImage == BadImages.Skip;

    /// <summary>The number of rows; null while images that might be left out haven't been looked at.</summary>
    public long? Count
    {
        get
        {
            if (!SkipsBad)
                return _states.Length;
            return _states.Contains(State.Unknown) ? null : _states.Count(state => state == State.Good);
        }
    }

    /// <summary>Whether an image is a row; each is looked at once, whichever columns are read, so that every cursor has the same rows.</summary>
    /// <param name="image">The image, where it was decoded to find out.</param>
    public bool IsRow(int index, out MLImage? image)
    {
        image = null;
        if (!SkipsBad || _states[index] == State.Good)
            return true;
        if (_states[index] == State.Bad)
            return false;
        image = ImageDecoder.TryDecode(folder.Paths[index], out var problem);
        if (image == null)
            Warn(folder.Paths[index], problem);
        else
            image.Tag = folder.Paths[index];
        _states[index] = image == null ? State.Bad : State.Good;
        return image != null;
    }

    private void Warn(string path, string problem)
    {
        using var channel = host.Start("Load images");
        channel.Warning("'{0}' was left out: {1}.", path, problem);
    }
}
